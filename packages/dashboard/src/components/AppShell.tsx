import './AppShell.css';
import { useQuery } from '@tanstack/react-query';
import { Link, type LinkProps, Outlet, useRouterState } from '@tanstack/react-router';
import { CircleHelp, CodeXml, House, type LucideIcon, Settings2 } from 'lucide-react';
import type { ReactNode } from 'react';
import { sessionOptions } from '../api/session.ts';
import { AccountMenu } from './AccountMenu.tsx';
import { buttonClass } from './Button.tsx';
import { Brand } from './Logo.tsx';
import { OfflineBanner } from './OfflineBanner.tsx';
import { SkipLink } from './SkipLink.tsx';
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
  const items = session?.user ? [overview, settings, help, docs] : [help, docs];

  return (
    <div className="shell">
      <SkipLink />
      <header className="shell__bar">
        <Link to="/" className="shell__home">
          <Brand />
        </Link>
        <WorkspaceLabel />
        <nav className="shell__nav" aria-label="Main">
          <ul>
            {(isPending ? [] : items).map((item) => (
              <li key={item.name}>
                <NavLink item={item} />
              </li>
            ))}
          </ul>
        </nav>
        <div className="shell__foot">
          {session?.user ? <AccountMenu user={session.user} /> : null}
          {session && !session.user ? <SignInLink /> : null}
        </div>
      </header>
      <main className="shell__main" id="content" tabIndex={-1}>
        <OfflineBanner />
        <div className="shell__content">{children ?? <Outlet />}</div>
      </main>
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
