import './JumpField.css';
import { Search } from 'lucide-react';
import { Kbd } from '../components/Kbd.tsx';
import { jumpKeys } from '../components/shortcuts.ts';
import { openShellDialog } from './open-dialog.ts';
import { preloadShellDialog } from './use-shell-dialog.ts';

const behavior = {
  type: 'button',
  onPointerEnter: preloadShellDialog,
  onFocus: preloadShellDialog,
  'aria-haspopup': 'dialog',
  'aria-keyshortcuts': jumpKeys.aria,
} as const;

/**
 * Opens the search for keys, pages and actions. Looks like a field, but the dialog has the field.
 *
 * @param onOpen called before the dialog opens, which returns the focus to where it is then
 */
export function JumpField({ onOpen }: { onOpen?: () => void }) {
  const open = () => {
    onOpen?.();
    openShellDialog('jump');
  };
  return (
    <button className="jump-field" onClick={open} {...behavior}>
      <Search size={16} aria-hidden />
      <span>Jump to</span>
      <Kbd>{jumpKeys.shown}</Kbd>
    </button>
  );
}

/** The same in the bar of a phone. */
export function JumpButton() {
  return (
    <button
      className="jump-button"
      aria-label="Jump to"
      onClick={() => openShellDialog('jump')}
      {...behavior}
    >
      <Search size={20} aria-hidden />
    </button>
  );
}
