import './Code.css';
import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { CopyButton } from './CopyButton.tsx';

export interface Snippet {
  label: string;
  /** The code that is shown. */
  code: string;
  /** The text that is copied, if it differs from the code that is shown. */
  copied?: () => string;
  note?: string;
}

interface CodeProps extends Pick<Snippet, 'code' | 'label' | 'copied'> {
  /** A caption above the code. In a narrow column, it leaves the code the full width. */
  head?: string;
}

/** A code block with a copy button. */
export function Code({ code, label, copied = () => code, head }: CodeProps) {
  return (
    <div className={`code ${head ? 'code--headed' : ''}`}>
      {head ? (
        <p className="code__head" aria-hidden>
          {head}
        </p>
      ) : null}
      <CodeText code={code} label={label} />
      <CopyButton text={copied} what={label} />
    </div>
  );
}

function CodeText({ code, label }: Pick<Snippet, 'code' | 'label'>) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable element must be reachable with the keyboard
    <section className="code__text" tabIndex={0} aria-label={label}>
      <pre>
        <code translate="no">{code}</code>
      </pre>
    </section>
  );
}

interface CodeTabsProps {
  label: string;
  snippets: Snippet[];
  onCopied?: (snippet: Snippet) => void;
}

/** The same code in several languages, one tab for each. */
export function CodeTabs({ label, snippets, onCopied }: CodeTabsProps) {
  const [chosen, setChosen] = useState(0);
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const snippet = snippets[chosen];

  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = (chosen + step + snippets.length) % snippets.length;
    setChosen(next);
    list.current?.querySelectorAll<HTMLElement>('[role="tab"]')[next]?.focus();
  };

  return (
    <div className="code-tabs">
      <div className="code-tabs__box">
        <div className="code-tabs__list" role="tablist" aria-label={label} ref={list}>
          {snippets.map((entry, index) => (
            <button
              key={entry.label}
              type="button"
              role="tab"
              id={`${id}-${index}`}
              className="code-tabs__tab"
              aria-selected={index === chosen}
              aria-controls={`${id}-panel`}
              tabIndex={index === chosen ? 0 : -1}
              onClick={() => setChosen(index)}
              onKeyDown={move}
            >
              {entry.label}
            </button>
          ))}
        </div>
        {snippet ? (
          <div className="code-tabs__row">
            <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${chosen}`}>
              <CodeText code={snippet.code} label={snippet.label} />
            </div>
            <CopyButton
              key={snippet.label}
              text={snippet.copied ?? (() => snippet.code)}
              what={snippet.label}
              onCopied={() => onCopied?.(snippet)}
            />
          </div>
        ) : null}
      </div>
      {snippet?.note ? <p className="code-tabs__note">{snippet.note}</p> : null}
    </div>
  );
}
