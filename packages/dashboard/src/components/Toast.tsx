import './Toast.css';
import { CircleCheck, X } from 'lucide-react';
import { useEffect, useSyncExternalStore } from 'react';
import { Listeners } from './listeners.ts';

/** Milliseconds. Long enough to read the text twice, and for a screen reader to read it out. */
const displayTime = 9_000;

interface Message {
  text: string;
  /** The name of the key that the text is about. */
  about: string | undefined;
  /** A message that repeats the one before is read out again, and displayed for its whole time. */
  id: number;
}

let message: Message | null = null;
let messages = 0;
const listeners = new Listeners();

/**
 * Shows a message that an action is done. The text must be true when this is called. Screen readers ignore live regions
 * behind a modal dialog, so the message waits until no dialog is open.
 *
 * @param about the name of the key that the text is about, which precedes it
 */
export function announce(text: string, about?: string): void {
  if (document.querySelector('dialog:modal')) {
    requestAnimationFrame(() => announce(text, about));
    return;
  }
  messages += 1;
  show({ text, about, id: messages });
}

function show(next: Message | null): void {
  message = next;
  listeners.notify();
}

export function Toast() {
  const shown = useSyncExternalStore(listeners.subscribe, () => message);
  useEffect(() => {
    if (shown === null) return;
    const timer = setTimeout(() => show(null), displayTime);
    return () => clearTimeout(timer);
  }, [shown]);

  return (
    <div className="toast-place">
      <div role="status">
        {shown === null ? null : (
          <div className="toast" key={shown.id}>
            <CircleCheck size={16} aria-hidden />
            <span className="toast__text">
              {shown.about === undefined ? null : <About name={shown.about} />}
              <span>{shown.text}</span>
            </span>
            <button type="button" className="toast__close" aria-label="Dismiss" onClick={() => show(null)}>
              <X size={16} aria-hidden />
            </button>
          </div>
        )}
      </div>
    </div>
  );
}

/** Isolated, because a name in a right-to-left script would reorder a number that follows it. */
function About({ name }: { name: string }) {
  return (
    <>
      <span>"</span>
      <bdi translate="no">{name}</bdi>
      <span>": </span>
    </>
  );
}
