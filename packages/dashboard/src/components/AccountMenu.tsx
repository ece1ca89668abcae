import './AccountMenu.css';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useRouter } from '@tanstack/react-router';
import { ChevronsUpDown, LogOut, UserRound } from 'lucide-react';
import { useId, useRef } from 'react';
import { notifyOtherTabs } from '../api/channel.ts';
import { signOut } from '../api/session.ts';
import { ThemeSwitch } from './ThemeSwitch.tsx';
import { announce } from './Toast.tsx';

interface Person {
  name: string;
  email: string;
}

export function AccountMenu({ user }: { user: Person }) {
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  const signOutHere = useSignOut();
  const close = () => menu.current?.hidePopover();

  return (
    <>
      <button type="button" className="account" popoverTarget={id}>
        <span className="visually-hidden">Account menu: </span>
        <span className="account__initials" data-initials={initialsOf(user.name)} />
        <span className="account__who">
          <NameAndEmail {...user} />
        </span>
        <ChevronsUpDown className="account__chevron" size={16} aria-hidden />
      </button>
      <div className="account-menu" id={id} popover="auto" ref={menu}>
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

function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map(
    (word) => [...(word ?? '')][0] ?? '',
  );
  return letters.join('').toUpperCase();
}
