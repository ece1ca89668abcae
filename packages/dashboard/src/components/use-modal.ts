import { type PointerEvent, useEffect, useEffectEvent, useLayoutEffect, useRef } from 'react';

/** The open dialogs. Only the one on top handles Escape. */
const open: HTMLDialogElement[] = [];

/**
 * Shows a dialog element as modal, until its owner stops rendering it. Browsers can close a dialog on their own (in
 * Chrome, a second Escape cannot even be canceled), which could lose a key that was not copied. So Escape is handled
 * before the browser sees it, and a dialog that was closed anyway is opened again.
 *
 * @param onCloseRequest called on Escape and a click outside
 * @returns the handlers of the element that detect a click outside
 */
export function useModal(
  ref: { readonly current: HTMLDialogElement | null },
  onCloseRequest: () => void,
): { onPointerDown: (event: PointerEvent) => void; onPointerUp: (event: PointerEvent) => void } {
  useShownModal(ref);
  useCloseRequests(ref, onCloseRequest);
  const pressedOutside = useRef(false);
  return {
    onPointerDown: (event) => {
      pressedOutside.current = event.target === ref.current;
    },
    onPointerUp: (event) => {
      // Selecting text and dragging out of the dialog ends outside, but does not count as a click outside.
      if (pressedOutside.current && event.target === ref.current) onCloseRequest();
      pressedOutside.current = false;
    },
  };
}

function useShownModal(ref: { readonly current: HTMLDialogElement | null }): void {
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
}

function useCloseRequests(
  ref: { readonly current: HTMLDialogElement | null },
  onCloseRequest: () => void,
): void {
  const requestClose = useEffectEvent(onCloseRequest);
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
