import { JumpDialog } from './jump/JumpDialog.tsx';
import type { ShellDialogName } from './open-dialog.ts';
import { ShortcutsDialog } from './ShortcutsDialog.tsx';

export function ShellDialog({ name, onClose }: { name: ShellDialogName; onClose: () => void }) {
  return name === 'jump' ? <JumpDialog onClose={onClose} /> : <ShortcutsDialog onClose={onClose} />;
}
