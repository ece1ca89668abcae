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

const spoken = {
  waiting: 'Copy it now, and put it where your program reads it from.',
  copied: 'Copied. The full key is on the clipboard.',
  refused: 'The browser refused the clipboard. The key is selected: press Ctrl+C, or ⌘C on a Mac.',
};

/** The full key with its copy button. What fails in copying leaves it selected, for copying by hand. */
export function KeyField({ apiKey, name, copied, onCopied }: KeyFieldProps) {
  const [refused, setRefused] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const outcome = copied ? 'copied' : refused ? 'refused' : 'waiting';

  // Enter made the key; Enter again copies it. The dialog begins at its top, however far the form was scrolled.
  useEffect(() => {
    button.current?.focus({ preventScroll: true });
    button.current?.closest('dialog')?.scrollTo(0, 0);
  }, []);

  const copy = async () => {
    if (await copyWithClipboard(apiKey)) return onCopied();
    field.current?.select();
    if (copySelection()) onCopied();
    else setRefused(true);
  };
  // Ctrl+C by hand counts as well, but only of the whole key.
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
          look={copied ? 'secondary' : 'primary'}
          icon={copied ? Check : Copy}
          className="secret__copy"
          onClick={copy}
        >
          {copied ? 'Copied' : 'Copy'}
        </Button>
      </div>
      <p className={`secret__spoken secret__spoken--${outcome}`} role="status">
        {spoken[outcome]}
      </p>
    </div>
  );
}
