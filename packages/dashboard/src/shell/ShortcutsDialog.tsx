import './ShortcutsDialog.css';
import { Link } from '@tanstack/react-router';
import { Dialog } from '../components/Dialog.tsx';
import { Kbd } from '../components/Kbd.tsx';
import { jumpKeys, useHasSingleKeyShortcuts } from '../components/shortcuts.ts';

const singleKeys = [
  { keys: 'N', action: 'Generate New Key' },
  { keys: '/', action: 'Search keys' },
  { keys: '?', action: 'Show these shortcuts' },
];

export function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const on = useHasSingleKeyShortcuts();
  return (
    <Dialog title="Keyboard shortcuts" onCloseRequest={onClose}>
      <dl className="shortcuts">
        <Shortcut keys={jumpKeys.shown} action="Jump to a key, page or action" />
        {on ? singleKeys.map((shortcut) => <Shortcut key={shortcut.keys} {...shortcut} />) : null}
        <Shortcut keys="Esc" action="Close a dialog" />
      </dl>
      <p className="shortcuts__more">
        <span>
          {on
            ? 'Single keys work while you are not typing in a field. '
            : 'Single-key shortcuts are turned off. '}
        </span>
        <Link to="/settings/account" onClick={onClose}>
          {on ? 'Turn them off in Settings, Account' : 'Turn them on in Settings, Account'}
        </Link>
      </p>
    </Dialog>
  );
}

function Shortcut({ keys, action }: { keys: string; action: string }) {
  return (
    <div className="shortcuts__row">
      <dt>{action}</dt>
      <dd>
        <Kbd>{keys}</Kbd>
        <span className="visually-hidden">{keys}</span>
      </dd>
    </div>
  );
}
