import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

/** The way back from a page below the list of keys. */
export function Crumbs({ page }: { page: ReactNode }) {
  return (
    <nav className="crumbs" aria-label="Breadcrumb">
      <ol>
        <li>
          <Link to="/settings/account">Settings</Link>
        </li>
        <li>
          <Link to="/settings/api">API keys</Link>
        </li>
        <li aria-current="page">{page}</li>
      </ol>
    </nav>
  );
}
