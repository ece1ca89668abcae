import './AppShell.css';
import { Link, type LinkProps, Outlet, useRouterState } from '@tanstack/react-router';
import { CodeXml, House, LifeBuoy, type LucideIcon, Settings } from 'lucide-react';
import type { ReactNode } from 'react';
import { useSession } from '../api/session.ts';
import { AccountMenu } from './AccountMenu.tsx';
import { buttonClass } from './Button.tsx';
import { Mark } from './Mark.tsx';
import { OfflineBanner } from './OfflineBanner.tsx';
import { SkipLink } from './SkipLink.tsx';

interface Room {
  to: NonNullable<LinkProps['to']>;
  /** The URLs that belong to it. */
  under: string;
  name: string;
  icon: LucideIcon;
}

const overview: Room = { to: '/', under: '/', name: 'Overview', icon: House };
const settings: Room = { to: '/settings/account', under: '/settings', name: 'Settings', icon: Settings };
const help: Room = { to: '/help/api-key-management', under: '/help', name: 'Help', icon: LifeBuoy };
const docs: Room = { to: '/docs', under: '/docs', name: 'API reference', icon: CodeXml };

/** The sidebar (on a phone: a bar at the top and one at the bottom) around every page but login and setup. */
export function AppShell({ children }: { children?: ReactNode }) {
  const session = useSession();
  const rooms = session?.user ? [overview, settings, help, docs] : [help, docs];

  return (
    <div className="shell">
      <SkipLink />
      <header className="shell__bar">
        <Link to="/" className="shell__home">
          <Mark />
          <span className="shell__product" translate="no">
            Soku
          </span>
          {session?.workspace ? (
            <span className="shell__workspace" translate="no">
              {session.workspace.name}
            </span>
          ) : null}
        </Link>
        <nav className="shell__nav" aria-label="Main">
          <ul>
            {rooms.map((room) => (
              <li key={room.name}>
                <RoomLink room={room} />
              </li>
            ))}
          </ul>
        </nav>
        <div className="shell__account">
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

function RoomLink({ room }: { room: Room }) {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const current = room.under === '/' ? path === '/' : path.startsWith(room.under);
  const Icon = room.icon;
  return (
    <Link to={room.to} className="shell__link" aria-current={current ? 'page' : undefined}>
      <Icon size={18} aria-hidden />
      <span>{room.name}</span>
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
