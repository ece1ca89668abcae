import './KeyField.css';
import { Check, Copy } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Button } from '../../../components/Button.tsx';
import { copySelection, copyWithClipboard } from '../../../components/copy-text.ts';

interface KeyFieldProps {
  apiKey: string;
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
export function KeyField({ apiKey, name, copied, onCopied }: KeyFieldProps) {
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
      <label className="field__label" htmlFor="new-api-key">
        API key
      </label>
      <p className="secret__name" translate="no">
        {name}
      </p>
      <div className="secret__line">
        <textarea
          ref={field}
          id="new-api-key"
          className="control secret__field"
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
        <Button
          ref={button}
          variant={copied ? 'secondary' : 'primary'}
          icon={copied ? Check : Copy}
          className="secret__copy"
          onClick={copy}
        >
          {copied ? 'Copied' : 'Copy'}
        </Button>
      </div>
      <p className={`secret__spoken secret__spoken--${outcome}`} role="status">
        {messages[outcome]}
      </p>
    </div>
  );
}
