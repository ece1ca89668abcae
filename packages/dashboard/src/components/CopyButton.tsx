import { Check, Copy } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Button } from './Button.tsx';
import { copyText } from './copy-text.ts';

type Outcome = 'idle' | 'copied' | 'failed';

interface CopyButtonProps {
  /** Called only when the text is copied, so that a secret does not stay in a prop. */
  text: () => string;
  /** Names the copied text for screen readers. */
  what: string;
  /** The label of the button. */
  label?: string;
  onCopied?: () => void;
}

export function CopyButton({ text, what, label = 'Copy', onCopied }: CopyButtonProps) {
  const [outcome, setOutcome] = useState<Outcome>('idle');
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (outcome === 'idle') return;
    const timer = setTimeout(() => setOutcome('idle'), 4000);
    return () => clearTimeout(timer);
  }, [outcome]);

  const copy = async () => {
    const copied = await copyText(text(), button.current);
    setOutcome(copied ? 'copied' : 'failed');
    if (copied) onCopied?.();
  };

  return (
    <span className="copy">
      <Button ref={button} variant="quiet" icon={outcome === 'copied' ? Check : Copy} onClick={copy}>
        <span className="copy__label">{outcome === 'idle' ? label : labels[outcome]}</span>
        <span className="visually-hidden">{` ${what}`}</span>
      </Button>
      <span className="visually-hidden" role="status">
        {announcement(outcome, what)}
      </span>
    </span>
  );
}

const labels: Record<Exclude<Outcome, 'idle'>, string> = { copied: 'Copied', failed: 'Not copied' };

function announcement(outcome: Outcome, what: string): string {
  if (outcome === 'copied') return `Copied: ${what}`;
  return outcome === 'failed' ? 'The browser blocked the clipboard. Select the text and copy it.' : '';
}
