import './Dialog.css';
import { X } from 'lucide-react';
import { type ReactNode, useId, useRef } from 'react';
import type { Elements } from './elements.ts';
import { useModal } from './use-modal.ts';

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

/** A modal dialog that closes only when its owner stops rendering it. */
export function Dialog({
  title,
  lead,
  onCloseRequest,
  role = 'dialog',
  size = 'narrow',
  children,
}: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const bodyId = useId();
  const outside = useModal(dialog, onCloseRequest);

  return (
    <dialog
      ref={dialog}
      className={`dialog dialog--${size}`}
      role={role}
      tabIndex={-1}
      aria-labelledby={titleId}
      aria-describedby={role === 'alertdialog' ? bodyId : undefined}
      {...outside}
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

interface DialogActionsProps {
  children: ReactNode;
  /** Two short buttons stay in one row on a phone as well. */
  row?: boolean;
}

export function DialogActions({ children, row = false }: DialogActionsProps) {
  return <div className={`dialog__actions ${row ? 'dialog__actions--row' : ''}`}>{children}</div>;
}
