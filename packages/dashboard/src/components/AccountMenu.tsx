import './AccountMenu.css';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useRouter } from '@tanstack/react-router';
import { ChevronsUpDown, LogOut, Menu, UserRound } from 'lucide-react';
import { useId, useRef } from 'react';
import { notifyOtherTabs } from '../api/channel.ts';
import { signOut } from '../api/session.ts';
import { ThemeSwitch } from './ThemeSwitch.tsx';
import { announce } from './Toast.tsx';
import { WorkspaceLabel } from './WorkspaceLabel.tsx';

interface Person {
  name: string;
  email: string;
}

/** On a phone, a sheet at the bottom of the screen, which also names the workspace. */
export function AccountMenu({ user }: { user: Person }) {
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  const signOutHere = useSignOut();
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
        <div className="account-menu__workspace">
          <WorkspaceLabel />
        </div>
        <p className="account-menu__who">
          <NameAndEmail {...user} />
        </p>
        <ThemeSwitch />
        <Link to="/settings/account" className="account-menu__item" onClick={close}>
          <UserRound size={16} aria-hidden />
          <span>Your account</span>
        </Link>
        <button type="button" className="account-menu__item" onClick={signOutHere}>
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

function useSignOut() {
  const router = useRouter();
  const client = useQueryClient();
  return async () => {
    try {
      await signOut();
    } catch (error) {
      announce(`You were not signed out. ${error instanceof Error ? error.message : ''}`);
      return;
    }
    notifyOtherTabs('signed-out');
    client.clear();
    await router.navigate({ to: '/login' });
  };
}
