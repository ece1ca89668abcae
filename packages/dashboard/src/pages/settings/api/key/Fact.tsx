import type { ReactNode } from 'react';

/** One fact of what a key may do, with its name. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="fact">
      <dt className="fact__name">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
