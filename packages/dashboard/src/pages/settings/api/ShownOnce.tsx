import { Check, Copy } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useSession } from '../../../api/session.ts';
import { Button } from '../../../components/Button.tsx';
import { CodeTabs } from '../../../components/Code.tsx';
import { copySelection, copyWithClipboard } from '../../../components/copy-text.ts';
import { DialogActions } from '../../../components/Dialog.tsx';
import { Notice } from '../../../components/Notice.tsx';
import { callSnippets, environmentLine } from '../../../components/snippets.ts';
import { TestKey } from './TestKey.tsx';

interface ShownOnceProps {
  apiKey: string;
  preview: string;
  name: string;
  onCopied: () => void;
  onDone: () => void;
}

type Outcome = 'waiting' | 'copied' | 'refused';

const spoken: Record<Outcome, string> = {
  waiting: 'Copy it now, and put it where your program reads it from.',
  copied: 'Copied. The full key is on the clipboard.',
  refused: 'The browser refused the clipboard. The key is selected: press Ctrl+C, or ⌘C on a Mac.',
};

export function ShownOnce({ apiKey, preview, name, onCopied, onDone }: ShownOnceProps) {
  const [outcome, setOutcome] = useState<Outcome>('waiting');
  const field = useRef<HTMLTextAreaElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const origin = useSession()?.publicUrl ?? window.location.origin;

  // Enter made the key; Enter again copies it.
  useEffect(() => button.current?.focus(), []);

  const copied = () => {
    setOutcome('copied');
    onCopied();
  };
  const copy = async () => {
    if (await copyWithClipboard(apiKey)) return copied();
    field.current?.select();
    if (copySelection()) copied();
    else setOutcome('refused');
  };
  // Ctrl+C by hand counts as well, but only of the whole key.
  const copiedByHand = () => {
    const { selectionStart = 0, selectionEnd = 0 } = field.current ?? {};
    if (selectionEnd - selectionStart === apiKey.length) copied();
  };

  return (
    <div className="form">
      <Notice tone="warn">
        <p>
          <strong>You will not see this key again.</strong> Soku keeps only a fingerprint of it.
        </p>
      </Notice>
      <div className="secret">
        <label className="field__label" htmlFor="new-api-key">
          API key
        </label>
        <p className="secret__name">{name}</p>
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
            onFocus={(event) => event.currentTarget.select()}
            onCopy={copiedByHand}
          />
          <Button
            ref={button}
            look={outcome === 'copied' ? 'secondary' : 'primary'}
            icon={outcome === 'copied' ? Check : Copy}
            className="secret__copy"
            onClick={copy}
          >
            {outcome === 'copied' ? 'Copied' : 'Copy'}
          </Button>
        </div>
        <p className={`secret__spoken secret__spoken--${outcome}`} role="status">
          {spoken[outcome]}
        </p>
      </div>
      <section aria-label="Use the key">
        <CodeTabs
          label="Use the key"
          snippets={[environmentLine(preview, () => apiKey), ...callSnippets(origin)]}
          onCopied={(snippet) => {
            if (snippet.copied) copied();
          }}
        />
      </section>
      <TestKey apiKey={apiKey} />
      <DialogActions>
        <Button look={outcome === 'copied' ? 'primary' : 'secondary'} onClick={onDone}>
          Done
        </Button>
      </DialogActions>
    </div>
  );
}
