import { Check, Copy } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Button } from './Button.tsx';
import { copyText } from './copy-text.ts';

type Outcome = 'idle' | 'copied' | 'refused';

interface CopyButtonProps {
  /** Asked for when it is needed, so that no text that is secret stays in a prop. */
  text: () => string;
  /** What is copied, for whoever cannot see what stands beside the button. */
  what: string;
  /** In place of "Copy". */
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
    setOutcome(copied ? 'copied' : 'refused');
    if (copied) onCopied?.();
  };

  return (
    <span className="copy">
      <Button ref={button} look="quiet" icon={outcome === 'copied' ? Check : Copy} onClick={copy}>
        <span>{outcome === 'idle' ? label : words[outcome]}</span>
        <span className="visually-hidden">{` ${what}`}</span>
      </Button>
      <span className="visually-hidden" role="status">
        {spoken(outcome, what)}
      </span>
    </span>
  );
}

const words: Record<Exclude<Outcome, 'idle'>, string> = { copied: 'Copied', refused: 'Refused' };

function spoken(outcome: Outcome, what: string): string {
  if (outcome === 'copied') return `Copied: ${what}`;
  return outcome === 'refused' ? 'The browser refused the clipboard. Select the text and copy it.' : '';
}
