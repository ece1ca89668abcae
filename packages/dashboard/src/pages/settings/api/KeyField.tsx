import './KeyField.css';
import { bodyLength, checksumLength } from '@soku/key';
import { Check, Copy } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { KeyPreview } from '../../../components/Bitting.tsx';
import { Button } from '../../../components/Button.tsx';
import { copySelection, copyWithClipboard } from '../../../components/copy-text.ts';

interface KeyFieldProps {
  apiKey: string;
  preview: string;
  name: string;
  copied: boolean;
  onCopied: () => void;
}

const messages = {
  waiting: 'Copy the key now and store it where your program reads it.',
  copied: 'Copied. The full key is on the clipboard.',
  refused: 'The browser blocked the clipboard. The key is selected: press Ctrl+C, or ⌘C on a Mac.',
};

/** The full key with its copy button. If copying fails, the key stays selected so that it can be copied by hand. */
export function KeyField({ apiKey, preview, name, copied, onCopied }: KeyFieldProps) {
  const [failed, setFailed] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const outcome = copied ? 'copied' : failed ? 'refused' : 'waiting';

  // Enter created the key, and Enter again copies it. The dialog starts at its top, wherever the form was scrolled to.
  useEffect(() => {
    button.current?.focus({ preventScroll: true });
    button.current?.closest('dialog')?.scrollTo(0, 0);
  }, []);

  const copy = async () => {
    if (await copyWithClipboard(apiKey)) return onCopied();
    field.current?.select();
    if (copySelection()) onCopied();
    else setFailed(true);
  };
  // Copying by hand counts as well, but only if the whole key is selected.
  const copiedByHand = () => {
    const { selectionStart = 0, selectionEnd = 0 } = field.current ?? {};
    if (selectionEnd - selectionStart === apiKey.length) onCopied();
  };

  return (
    <div className="secret">
      <label className="visually-hidden" htmlFor="new-api-key">
        API key
      </label>
      <div className={`secret__key ${apiKey.length > widestKey ? 'secret__key--long' : ''}`}>
        <textarea
          ref={field}
          id="new-api-key"
          className="secret__field"
          value={apiKey}
          rows={1}
          readOnly
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          translate="no"
          onFocus={(event) => event.currentTarget.select()}
          onCopy={copiedByHand}
        />
        <KeyParts apiKey={apiKey} />
      </div>
      <div className="secret__act">
        <p className="secret__listed">
          <KeyPreview preview={preview} />
          <strong translate="no">{name}</strong>
        </p>
        <Button
          ref={button}
          variant={copied ? 'secondary' : 'primary'}
          icon={copied ? Check : Copy}
          className="secret__copy"
          onClick={copy}
        >
          {copied ? 'Copied' : 'Copy'}
        </Button>
        <p className={`secret__spoken secret__spoken--${outcome}`} role="status">
          {messages[outcome]}
        </p>
      </div>
    </div>
  );
}

/** In characters. A longer key, with a long prefix, is drawn smaller, so that it fits into one line of the dialog. */
const widestKey = 46;

/** In characters. A shorter prefix has no room for its label. */
const labeledPrefix = 5;

/**
 * The key in color, with a ruler below it. A text field has one color, so that its text is transparent and this is
 * drawn in its place. The lengths come from the key, because prefixes differ.
 */
function KeyParts({ apiKey }: { apiKey: string }) {
  const start = apiKey.length - bodyLength;
  const end = apiKey.length - checksumLength;
  const at = (place: number) => `${(100 * place) / apiKey.length}%`;
  const labels = [
    ...(start >= labeledPrefix ? [{ from: 0, text: 'Prefix' }] : []),
    { from: start, text: `Secret, ${end - start} characters` },
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
