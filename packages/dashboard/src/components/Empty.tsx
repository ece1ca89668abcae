import './Card.css';
import './Empty.css';
import type { Elements } from './elements.ts';

/** In place of a list that has nothing to show: why, and what to do. */
export function Empty({ icon, title, children }: { icon: Elements; title: string; children: Elements }) {
  return (
    <div className="card empty">
      <span className="empty__icon">{icon}</span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}
