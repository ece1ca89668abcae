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
 * A button that opens the search for keys, pages and actions. It looks like a field; the actual field is in the dialog.
 *
 * @param onOpen called before the dialog opens. When it closes, the focus returns to where it is after this call
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

/** The same button for the top bar on a phone. */
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
