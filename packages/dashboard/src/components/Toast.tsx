import './Toast.css';
import { CircleCheck, X } from 'lucide-react';
import { useEffect, useSyncExternalStore } from 'react';
import { Listeners } from './listeners.ts';

/** Milliseconds. Long enough to read the text twice, and for a screen reader to read it out. */
const displayTime = 9_000;

let message = '';
const listeners = new Listeners();

/**
 * Shows a message that an action is done. The text must be true when this is called. Screen readers ignore live regions
 * behind a modal dialog, so the message waits until no dialog is open.
 */
export function announce(text: string): void {
  if (document.querySelector('dialog:modal')) {
    requestAnimationFrame(() => announce(text));
    return;
  }
  message = text;
  listeners.notify();
}

export function Toast() {
  const text = useSyncExternalStore(listeners.subscribe, () => message);
  useEffect(() => {
    if (text === '') return;
    const timer = setTimeout(() => announce(''), displayTime);
    return () => clearTimeout(timer);
  }, [text]);

  return (
    <div className="toast-place">
      <div role="status">
        {text === '' ? null : (
          <div className="toast">
            <CircleCheck size={16} aria-hidden />
            <span className="toast__text">{text}</span>
            <button type="button" className="toast__close" aria-label="Dismiss" onClick={() => announce('')}>
              <X size={16} aria-hidden />
            </button>
          </div>
        )}
      </div>
    </div>
  );
}
