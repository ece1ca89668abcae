import './Breadcrumbs.css';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

const lists = {
  keys: { to: '/settings/api', name: 'API keys' },
  webhooks: { to: '/settings/webhooks', name: 'Webhooks' },
} as const;

interface BreadcrumbsProps {
  /** The list above the page. */
  list?: keyof typeof lists;
  page: ReactNode;
}

/** The way back from a page below a list. */
export function Breadcrumbs({ list = 'keys', page }: BreadcrumbsProps) {
  const { to, name } = lists[list];
  return (
    <nav className="crumbs" aria-label="Breadcrumb">
      <ol>
        <li>
          <Link to="/settings/account">Settings</Link>
        </li>
        <li>
          <Link to={to}>{name}</Link>
        </li>
        <li aria-current="page">{page}</li>
      </ol>
    </nav>
  );
}
