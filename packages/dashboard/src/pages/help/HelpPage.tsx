import './HelpPage.css';
import { Link } from '@tanstack/react-router';
import { type ReactNode, type RefObject, useLayoutEffect, useRef, useState } from 'react';
import type { Elements } from '../../components/elements.ts';
import { PageHead } from '../../components/PageHead.tsx';
import { type ContentsGroup, TableOfContents } from '../../components/TableOfContents.tsx';

interface HelpPageProps {
  title: string;
  lead: ReactNode;
  children: Elements;
}

const pages = [
  { to: '/help/api-key-management', name: 'Managing keys' },
  { to: '/help/rotate-a-key', name: 'Rotate a key' },
  { to: '/help/authentication', name: 'Authentication' },
  { to: '/help/protect-an-api', name: 'Protect an API' },
  { to: '/help/api-troubleshooting', name: 'Troubleshooting' },
] as const;

export function HelpPage({ title, lead, children }: HelpPageProps) {
  const tabs = useRef<HTMLElement>(null);
  const text = useRef<HTMLDivElement>(null);
  useVisibleTab(tabs);
  const sections = useSections(text);
  return (
    <>
      <nav className="tabs" aria-label="Help" ref={tabs}>
        {pages.map(({ to, name }) => (
          <Link key={to} to={to} className="tabs__tab">
            {name}
          </Link>
        ))}
      </nav>
      <article className="with-contents">
        <div className="prose">
          <PageHead title={title} tabTitle={`${title}, help`}>
            {lead}
          </PageHead>
        </div>
        {sections.length >= fewestSections ? <TableOfContents groups={[{ entries: sections }]} /> : null}
        <div className="prose" ref={text}>
          {children}
        </div>
      </article>
    </>
  );
}

/** On a phone, not all tabs fit, so this scrolls to the current one. */
function useVisibleTab(tabs: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const current = tabs.current?.querySelector<HTMLElement>('[aria-current]');
    if (!tabs.current || !current) return;
    const { left } = tabs.current.getBoundingClientRect();
    tabs.current.scrollLeft += current.getBoundingClientRect().left - left;
  }, [tabs]);
}

/** A shorter page has no table of contents. */
const fewestSections = 4;

/** The sections of a text, read from it before it is painted, so that they are listed in one place only. */
function useSections(text: RefObject<HTMLElement | null>): ContentsGroup['entries'] {
  const [sections, setSections] = useState<ContentsGroup['entries']>([]);
  useLayoutEffect(() => {
    const found = text.current?.querySelectorAll(':scope > .prose__part[id]') ?? [];
    setSections(
      Array.from(found, (section) => ({
        id: section.id,
        title: section.querySelector('h2')?.textContent ?? section.id,
      })),
    );
  }, [text]);
  return sections;
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
