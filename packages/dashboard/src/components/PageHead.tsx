import './PageHead.css';
import { type ReactNode, useEffect } from 'react';
import type { Elements } from './elements.ts';

interface PageHeadProps {
  title: string;
  /** Whether the title is a name that a person chose. Browsers must not translate it. */
  isName?: boolean;
  /** The title of the browser tab, if it differs from the heading. */
  tabTitle?: string;
  /** Shown next to the heading, but not part of it. */
  badge?: Elements;
  children?: ReactNode;
  action?: Elements;
}

export function PageHead({
  title,
  isName = false,
  tabTitle = title,
  badge,
  children,
  action,
}: PageHeadProps) {
  usePageTitle(tabTitle);
  return (
    <header className="page-head">
      <div className="page-head__text">
        <div className="page-head__title">
          <h1 tabIndex={-1} dir="auto" translate={isName ? 'no' : undefined}>
            {title}
          </h1>
          {badge}
        </div>
        {children ? <p className="page-head__lead">{children}</p> : null}
      </div>
      {action}
    </header>
  );
}

export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Soku`;
  }, [title]);
}
