import './Toast.css';
import { CircleCheck, X } from 'lucide-react';
import { useEffect, useSyncExternalStore } from 'react';

/** Long enough to read twice; a screen reader has said it by then. */
const shownFor = 9_000;

let message = '';
const listeners = new Set<() => void>();

/**
 * Says that something was done. The text must be true at that moment. Behind a modal dialog no live region is heard,
 * so it waits until the dialog is gone.
 */
export function announce(text: string): void {
  if (document.querySelector('dialog:modal')) {
    requestAnimationFrame(() => announce(text));
    return;
  }
  message = text;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toast() {
  const text = useSyncExternalStore(subscribe, () => message);
  useEffect(() => {
    if (text === '') return;
    const timer = setTimeout(() => announce(''), shownFor);
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
