import './HelpPage.css';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Elements } from '../../components/elements.ts';
import { PageHead } from '../../components/PageHead.tsx';

interface HelpPageProps {
  title: string;
  lead: ReactNode;
  children: Elements;
}

const pages = [
  { to: '/help/api-key-management', name: 'Managing keys' },
  { to: '/help/authentication', name: 'Authentication' },
  { to: '/help/api-troubleshooting', name: 'Troubleshooting' },
] as const;

export function HelpPage({ title, lead, children }: HelpPageProps) {
  return (
    <>
      <nav className="tabs" aria-label="Help">
        {pages.map(({ to, name }) => (
          <Link key={to} to={to} className="tabs__tab">
            {name}
          </Link>
        ))}
      </nav>
      <article className="prose">
        <PageHead title={title} tabTitle={`${title}, help`}>
          {lead}
        </PageHead>
        {children}
      </article>
    </>
  );
}

/** A section of a help page with an anchor. */
export function HelpSection({ id, title, children }: { id: string; title: string; children: Elements }) {
  return (
    <section className="prose__part" id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>
        <Link to="." hash={id} className="prose__anchor">
          {title}
        </Link>
      </h2>
      {children}
    </section>
  );
}
