import './Card.css';
import './Empty.css';
import type { Elements } from './elements.ts';

/** Replaces an empty list: says why it is empty and what to do. */
export function Empty({ icon, title, children }: { icon: Elements; title: string; children: Elements }) {
  return (
    <div className="card empty">
      <span className="empty__icon">{icon}</span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}
