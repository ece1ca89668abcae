import './AppShell.css';
import { useQuery } from '@tanstack/react-query';
import { Link, type LinkProps, Outlet, useRouterState } from '@tanstack/react-router';
import { CircleHelp, CodeXml, House, type LucideIcon, Settings2 } from 'lucide-react';
import type { ReactNode } from 'react';
import { sessionOptions } from '../api/session.ts';
import { buttonClass } from '../components/Button.tsx';
import { Brand } from '../components/Logo.tsx';
import { OfflineBanner } from '../components/OfflineBanner.tsx';
import { SkipLink } from '../components/SkipLink.tsx';
import { AccountMenu } from './AccountMenu.tsx';
import { JumpButton, JumpField } from './JumpField.tsx';
import { openShellDialog } from './open-dialog.ts';
import { RecentKeys } from './RecentKeys.tsx';
import { ServerState } from './ServerState.tsx';
import { useShellDialog } from './use-shell-dialog.ts';
import { useShortcuts } from './use-shortcuts.ts';
import { WorkspaceLabel } from './WorkspaceLabel.tsx';

interface NavItem {
  to: NonNullable<LinkProps['to']>;
  /** The prefix of the paths that belong to it. */
  under: string;
  name: string;
  icon: LucideIcon;
}

const overview: NavItem = { to: '/', under: '/', name: 'Overview', icon: House };
const settings: NavItem = { to: '/settings/account', under: '/settings', name: 'Settings', icon: Settings2 };
const help: NavItem = { to: '/help/api-key-management', under: '/help', name: 'Help', icon: CircleHelp };
const docs: NavItem = { to: '/docs', under: '/docs', name: 'API reference', icon: CodeXml };

/**
 * The sidebar of every page except login and setup. On a phone, it is a bar at the top and one at the bottom. Its
 * entries wait for the session, so that they do not move.
 */
export function AppShell({ children }: { children?: ReactNode }) {
  const { data: session, isPending } = useQuery(sessionOptions);
  const user = session?.user;
  const items = user ? [overview, settings, help, docs] : [help, docs];
  const { shown, Dialog } = useShellDialog();
  useShortcuts(Boolean(user));

  return (
    <div className="shell">
      <SkipLink />
      <header className="shell__bar">
        <Link to="/" className="shell__home">
          <Brand />
        </Link>
        <WorkspaceLabel />
        {user ? <JumpField /> : null}
        <nav className="shell__nav" aria-label="Main">
          <ul>
            {(isPending ? [] : items).map((item) => (
              <li key={item.name}>
                <NavLink item={item} />
              </li>
            ))}
          </ul>
        </nav>
        {user ? <RecentKeys /> : null}
        <div className="shell__foot">
          {user ? (
            <>
              <JumpButton />
              <ServerState />
              <AccountMenu user={user} />
            </>
          ) : null}
          {session && !user ? <SignInLink /> : null}
        </div>
      </header>
      <main className="shell__main" id="content" tabIndex={-1}>
        <OfflineBanner />
        <div className="shell__content">{children ?? <Outlet />}</div>
      </main>
      {user && shown && Dialog ? <Dialog name={shown} onClose={() => openShellDialog(null)} /> : null}
    </div>
  );
}

function NavLink({ item }: { item: NavItem }) {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const current = item.under === '/' ? path === '/' : path.startsWith(item.under);
  const Icon = item.icon;
  return (
    <Link to={item.to} className="shell__link" aria-current={current ? 'page' : undefined}>
      <Icon size={16} aria-hidden />
      <span>{item.name}</span>
    </Link>
  );
}

function SignInLink() {
  const href = useRouterState({ select: (state) => state.location.href });
  return (
    <Link to="/login" search={{ next: href }} className={buttonClass('secondary', 'shell__sign-in')}>
      Sign in
    </Link>
  );
}
