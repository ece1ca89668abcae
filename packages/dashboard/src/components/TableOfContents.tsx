import './TableOfContents.css';
import { type RefObject, useEffect, useRef } from 'react';
import { useCurrentSection } from './use-current-section.ts';

interface ContentsEntry {
  id: string;
  title: string;
}

export interface ContentsGroup {
  /** Shown above the entries, if there are several groups. */
  name?: string;
  entries: ContentsEntry[];
}

/**
 * The sections of a long page, with the current one marked: beside the text on a wide screen, and a folded list above it
 * on a small one. Both are rendered, and the style sheet shows one.
 */
export function TableOfContents({ groups }: { groups: ContentsGroup[] }) {
  const current = useCurrentSection(groups.flatMap(({ entries }) => entries.map(({ id }) => id)));
  const folded = useRef<HTMLDetailsElement>(null);
  const side = useRef<HTMLDivElement>(null);
  useVisibleEntry(side, current);
  const fold = () => {
    if (folded.current) folded.current.open = false;
  };
  return (
    <nav className="contents" aria-label="On this page">
      <details className="contents__folded" ref={folded}>
        <summary>On this page</summary>
        <Groups groups={groups} current={current} onChoose={fold} />
      </details>
      <div className="contents__side" ref={side}>
        <p className="contents__title">On this page</p>
        <Groups groups={groups} current={current} />
      </div>
    </nav>
  );
}

/** In px, between the current entry and the edge of the list. */
const margin = 64;

/** Scrolls a long list, and never the page, so that the current entry is visible. */
function useVisibleEntry(side: RefObject<HTMLDivElement | null>, current: string | undefined): void {
  useEffect(() => {
    const list = side.current;
    const entry = Array.from(list?.querySelectorAll('a') ?? []).find(({ hash }) => hash === `#${current}`);
    if (!list || !entry) return;
    const highest = entry.offsetTop - margin;
    const lowest = entry.offsetTop + entry.offsetHeight + margin - list.clientHeight;
    list.scrollTop = Math.min(highest, Math.max(lowest, list.scrollTop));
  }, [side, current]);
}

interface GroupsProps {
  groups: ContentsGroup[];
  current: string | undefined;
  onChoose?: () => void;
}

function Groups({ groups, current, onChoose }: GroupsProps) {
  return groups.map(({ name, entries }) => (
    <div key={name ?? ''}>
      {name === undefined ? null : <p className="contents__name">{name}</p>}
      <ul>
        {entries.map(({ id, title }) => (
          <li key={id}>
            <a href={`#${id}`} aria-current={id === current ? 'location' : undefined} onClick={onChoose}>
              {title}
            </a>
          </li>
        ))}
      </ul>
    </div>
  ));
}
