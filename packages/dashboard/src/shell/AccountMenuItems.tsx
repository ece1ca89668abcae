import { Link } from '@tanstack/react-router';
import { Keyboard, LogOut, UserRound } from 'lucide-react';
import { Kbd } from '../components/Kbd.tsx';
import { useSingleKeyShortcut } from '../components/shortcuts.ts';
import { ThemeSwitch } from '../components/ThemeSwitch.tsx';
import { useSignOut } from '../session/use-sign-out.ts';
import { JumpField } from './JumpField.tsx';
import { NameAndEmail, type Person } from './NameAndEmail.tsx';
import { openShellDialog } from './open-dialog.ts';
import { RecentKeys } from './RecentKeys.tsx';
import { ServerState } from './ServerState.tsx';
import { WorkspaceLabel } from './WorkspaceLabel.tsx';

/** The content of the account menu. */
export function AccountMenuItems({ user, close }: { user: Person; close: () => void }) {
  const signOut = useSignOut();
  const shortcut = useSingleKeyShortcut('?');
  return (
    <>
      <div className="account-menu__sidebar">
        <WorkspaceLabel />
        <JumpField onOpen={close} />
        <RecentKeys onFollow={close} />
        <ServerState />
      </div>
      <p className="account-menu__who">
        <NameAndEmail {...user} />
      </p>
      <ThemeSwitch />
      <Link to="/settings/account" className="menu-item account-menu__item" onClick={close}>
        <UserRound size={16} aria-hidden />
        <span>Your account</span>
      </Link>
      <button
        type="button"
        className="menu-item account-menu__item account-menu__item--keyboard"
        aria-keyshortcuts={shortcut}
        onClick={() => {
          close();
          openShellDialog('shortcuts');
        }}
      >
        <Keyboard size={16} aria-hidden />
        <span>Keyboard shortcuts</span>
        {shortcut ? <Kbd>{shortcut}</Kbd> : null}
      </button>
      <button type="button" className="menu-item account-menu__item" onClick={signOut}>
        <LogOut size={16} aria-hidden />
        <span>Sign out</span>
      </button>
    </>
  );
}
