import './Section.css';
import type { ReactNode } from 'react';
import type { Elements } from './elements.ts';

interface SectionProps {
  title: string;
  lead?: ReactNode;
  action?: Elements;
  children: Elements;
}

/** A titled section of a page. Hairlines separate its rows; it has no box of its own. */
export function Section({ title, lead, action, children }: SectionProps) {
  return (
    <section className="section">
      <div className="section__head">
        <div>
          <h2>{title}</h2>
          {lead ? <p className="section__lead">{lead}</p> : null}
        </div>
        {action}
      </div>
      <div className="section__body">{children}</div>
    </section>
  );
}
