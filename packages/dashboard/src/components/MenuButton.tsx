import type { ComponentPropsWithRef } from 'react';

/** A menu that is open. */
export interface OpenMenu {
  button: HTMLElement;
  /** Which item gets the focus. */
  start: 'first' | 'last';
}

interface MenuButtonProps extends ComponentPropsWithRef<'button'> {
  /** The id of the menu, which exists only while it is open. */
  menuId: string;
  isOpen: boolean;
  onOpen: (menu: OpenMenu) => void;
  onClose: () => void;
}

/** Opens a Menu with a click, and with the arrow keys at its first or last item. */
export function MenuButton({ menuId, isOpen, onOpen, onClose, ...button }: MenuButtonProps) {
  return (
    <button
      {...button}
      type="button"
      // A click on the button then counts as one inside the menu, so that the browser does not close it first.
      popoverTarget={menuId}
      aria-haspopup="menu"
      aria-expanded={isOpen}
      onClick={(event) => {
        event.preventDefault();
        if (isOpen) onClose();
        else onOpen({ button: event.currentTarget, start: 'first' });
      }}
      onKeyDown={(event) => {
        if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
        event.preventDefault();
        onOpen({ button: event.currentTarget, start: event.key === 'ArrowDown' ? 'first' : 'last' });
      }}
    />
  );
}
