import './Dialog.css';
import { X } from 'lucide-react';
import {
  type PointerEvent,
  type ReactNode,
  useEffect,
  useEffectEvent,
  useId,
  useLayoutEffect,
  useRef,
} from 'react';
import type { Elements } from './elements.ts';

interface DialogProps {
  title: string;
  /** A sentence below the title. */
  lead?: Elements;
  /** Called on Escape, a click outside, and the button in the corner. The owner decides whether to close. */
  onCloseRequest: () => void;
  role?: 'dialog' | 'alertdialog';
  size?: 'narrow' | 'wide';
  children: ReactNode;
}

/** The open dialogs. Only the one on top handles Escape. */
const open: HTMLDialogElement[] = [];

/**
 * A modal dialog that closes only when its owner stops rendering it. Browsers can close a dialog on their own (in
 * Chrome, a second Escape cannot even be canceled), which could lose a key that was not copied. So Escape is handled
 * before the browser sees it, and a dialog that was closed anyway is opened again.
 */
export function Dialog({
  title,
  lead,
  onCloseRequest,
  role = 'dialog',
  size = 'narrow',
  children,
}: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const pressedOutside = useRef(false);
  const titleId = useId();
  const bodyId = useId();
  useModal(dialog, onCloseRequest);

  const press = (event: PointerEvent) => {
    pressedOutside.current = event.target === dialog.current;
  };
  const release = (event: PointerEvent) => {
    // Selecting text and dragging out of the dialog ends outside, but does not count as a click outside.
    if (pressedOutside.current && event.target === dialog.current) onCloseRequest();
    pressedOutside.current = false;
  };

  return (
    <dialog
      ref={dialog}
      className={`dialog dialog--${size}`}
      role={role}
      tabIndex={-1}
      aria-labelledby={titleId}
      aria-describedby={role === 'alertdialog' ? bodyId : undefined}
      onPointerDown={press}
      onPointerUp={release}
    >
      <div className="dialog__panel">
        <header className="dialog__head">
          <h2 className="dialog__title" id={titleId} tabIndex={-1}>
            {title}
          </h2>
          {role === 'dialog' ? (
            <button type="button" className="dialog__close" aria-label="Close" onClick={onCloseRequest}>
              <X size={16} aria-hidden />
            </button>
          ) : null}
          {lead ? <p className="dialog__lead">{lead}</p> : null}
        </header>
        <div id={bodyId}>{children}</div>
      </div>
    </dialog>
  );
}

function useModal(ref: { readonly current: HTMLDialogElement | null }, onCloseRequest: () => void): void {
  const requestClose = useEffectEvent(onCloseRequest);

  useLayoutEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    dialog.showModal();
    open.push(dialog);
    // By default the browser focuses the first button. (React's autoFocus would move the focus before the browser
    // records which element to restore it to.)
    dialog.querySelector<HTMLElement>('[data-autofocus]')?.focus();
    return () => {
      open.splice(open.indexOf(dialog), 1);
      // Restores the focus, which removing the element alone would not.
      dialog.close();
    };
  }, [ref]);

  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.isComposing || open.at(-1) !== dialog) return;
      event.preventDefault();
      event.stopPropagation();
      requestClose();
    };
    const onCancel = (event: Event) => {
      if (event.target !== dialog) return;
      event.preventDefault();
      requestClose();
    };
    const onClose = () => {
      if (!dialog.isConnected || dialog.open || !open.includes(dialog)) return;
      dialog.showModal();
      requestClose();
    };
    document.addEventListener('keydown', onKey, true);
    dialog.addEventListener('cancel', onCancel);
    dialog.addEventListener('close', onClose);
    return () => {
      document.removeEventListener('keydown', onKey, true);
      dialog.removeEventListener('cancel', onCancel);
      dialog.removeEventListener('close', onClose);
    };
  }, [ref]);
}

interface DialogActionsProps {
  children: ReactNode;
  /** Two short buttons stay in one row on a phone as well. */
  row?: boolean;
}

export function DialogActions({ children, row = false }: DialogActionsProps) {
  return <div className={`dialog__actions ${row ? 'dialog__actions--row' : ''}`}>{children}</div>;
}
