import './Fact.css';
import type { ReactNode } from 'react';

/** A property, such as one of a key, with its name. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="fact">
      <dt className="fact__name">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
