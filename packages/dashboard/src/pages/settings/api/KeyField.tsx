import { bodyLength, checksumLength } from '@soku/key';
import { KeyPreview } from '../../../components/KeyTeeth.tsx';
import { SecretField } from './SecretField.tsx';

interface KeyFieldProps {
  apiKey: string;
  /** What it is called: that of a key that was rotated is its new secret. */
  what: 'key' | 'secret';
  preview: string;
  name: string;
  copied: boolean;
  onCopied: () => void;
}

/** The full key with its copy button. */
export function KeyField({ apiKey, what, preview, name, copied, onCopied }: KeyFieldProps) {
  return (
    <SecretField
      secret={apiKey}
      label="API key"
      id="new-api-key"
      what={what}
      store="where your program reads it"
      drawn={<KeyParts apiKey={apiKey} />}
      about={
        <>
          <KeyPreview preview={preview} />
          <strong translate="no">{name}</strong>
        </>
      }
      copied={copied}
      onCopied={onCopied}
    />
  );
}

/** In characters. A shorter prefix has no room for its label. */
const labeledPrefix = 5;

/** The key in color, with a ruler below it. The lengths come from the key, because prefixes differ. */
function KeyParts({ apiKey }: { apiKey: string }) {
  const start = apiKey.length - bodyLength;
  const end = apiKey.length - checksumLength;
  const at = (place: number) => `${(100 * place) / apiKey.length}%`;
  const labels = [
    ...(start >= labeledPrefix ? [{ from: 0, text: 'Prefix' }] : []),
    { from: start, text: `Random part, ${end - start} characters` },
    { from: end, text: 'Checksum' },
  ];
  return (
    <>
      <code className="secret__drawn" translate="no" aria-hidden>
        <i>{apiKey.slice(0, start)}</i>
        <span>{apiKey.slice(start, end)}</span>
        <i>{apiKey.slice(end)}</i>
      </code>
      <svg className="secret__ruler" width={`${apiKey.length}ch`} height="24" aria-hidden="true">
        <line x1="0" x2="100%" y1="0.5" y2="0.5" />
        {[0, start, end, apiKey.length].map((place) => (
          <line key={place} x1={at(place)} x2={at(place)} y1="0" y2="6" />
        ))}
        {labels.map(({ from, text }) => (
          <text key={from} x={at(from)} dx="3" y="19">
            {text}
          </text>
        ))}
      </svg>
    </>
  );
}
