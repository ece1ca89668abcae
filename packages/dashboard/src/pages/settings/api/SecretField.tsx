import './KeyField.css';
import { Check, Copy } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Button } from '../../../components/Button.tsx';
import { copySelection, copyWithClipboard } from '../../../components/copy-text.ts';
import type { Elements } from '../../../components/elements.ts';

interface SecretFieldProps {
  secret: string;
  /** The name of the field, such as "API key". */
  label: string;
  id: string;
  /** What is shown once, in sentences. */
  what: 'key' | 'secret';
  /** Where it belongs. */
  store: string;
  /** The secret in color. A text field has one color, so that its text is transparent and this is drawn in its place. */
  drawn: Elements;
  /** Beside the button: what the secret belongs to. */
  about: Elements;
  copied: boolean;
  onCopied: () => void;
}

/** In characters. A longer secret is drawn smaller, so that it fits into one line of the dialog. */
const widestSecret = 46;

/** A secret with its copy button. If copying fails, it stays selected so that it can be copied by hand. */
export function SecretField(props: SecretFieldProps) {
  const { secret, label, id, what, store, drawn, about, copied, onCopied } = props;
  const [failed, setFailed] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const outcome = copied ? 'copied' : failed ? 'refused' : 'waiting';
  const messages = {
    waiting: `Copy the ${what} now and store it ${store}.`,
    copied: `Copied. The full ${what} is on the clipboard.`,
    refused: `The browser blocked the clipboard. The ${what} is selected: press Ctrl+C, or ⌘C on a Mac.`,
  };

  // Enter created the secret, and Enter again copies it. The dialog starts at its top, wherever the form was scrolled to.
  useEffect(() => {
    button.current?.focus({ preventScroll: true });
    button.current?.closest('dialog')?.scrollTo(0, 0);
  }, []);

  const copy = async () => {
    if (await copyWithClipboard(secret)) return onCopied();
    field.current?.select();
    if (copySelection()) onCopied();
    else setFailed(true);
  };
  // Copying by hand counts as well, but only if the whole secret is selected.
  const copiedByHand = () => {
    const { selectionStart = 0, selectionEnd = 0 } = field.current ?? {};
    if (selectionEnd - selectionStart === secret.length) onCopied();
  };

  return (
    <div className="secret">
      <label className="visually-hidden" htmlFor={id}>
        {label}
      </label>
      <div className={`secret__key ${secret.length > widestSecret ? 'secret__key--long' : ''}`}>
        <textarea
          ref={field}
          id={id}
          className="secret__field"
          value={secret}
          rows={1}
          readOnly
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          translate="no"
          onFocus={(event) => event.currentTarget.select()}
          onCopy={copiedByHand}
        />
        {drawn}
      </div>
      <div className="secret__act">
        <p className="secret__listed">{about}</p>
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
