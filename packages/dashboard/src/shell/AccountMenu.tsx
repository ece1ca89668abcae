import '../components/MenuItem.css';
import './AccountMenu.css';
import { Link } from '@tanstack/react-router';
import { ChevronsUpDown, Keyboard, LogOut, Menu, UserRound } from 'lucide-react';
import { useId, useRef } from 'react';
import { Kbd } from '../components/Kbd.tsx';
import { useSingleKey } from '../components/shortcuts.ts';
import { ThemeSwitch } from '../components/ThemeSwitch.tsx';
import { useSignOut } from '../session/use-sign-out.ts';
import { JumpField } from './JumpField.tsx';
import { openShellDialog } from './open-dialog.ts';
import { RecentKeys } from './RecentKeys.tsx';
import { ServerState } from './ServerState.tsx';
import { WorkspaceLabel } from './WorkspaceLabel.tsx';

interface Person {
  name: string;
  email: string;
}

/** On a phone, a sheet at the bottom of the screen with the parts of the sidebar that its bars have no room for. */
export function AccountMenu({ user }: { user: Person }) {
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  const signOut = useSignOut();
  const shortcut = useSingleKey('?');
  // The focus returns to the button.
  const close = () => menu.current?.hidePopover();

  return (
    <>
      <button type="button" className="account" popoverTarget={id}>
        <span className="visually-hidden">Account menu: </span>
        <span className="account__who">
          <NameAndEmail {...user} />
        </span>
        <ChevronsUpDown className="account__open" size={16} aria-hidden />
        <Menu className="account__open account__open--touch" size={20} aria-hidden />
      </button>
      <div className="account-menu" id={id} popover="auto" ref={menu}>
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
      </div>
    </>
  );
}

function NameAndEmail({ name, email }: Person) {
  return (
    <>
      <span className="account__name" translate="no">
        {name}
      </span>
      <span className="account__email" translate="no">
        {email}
      </span>
    </>
  );
}
