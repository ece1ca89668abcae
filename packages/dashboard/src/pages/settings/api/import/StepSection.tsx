import { useEffect, useId, useRef } from 'react';
import type { Elements } from '../../../../components/elements.ts';

/** A step of the import. Its heading gets the focus, because the button that led here is gone. */
export function StepSection({ title, children }: { title: string; children: Elements }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const id = useId();
  useEffect(() => heading.current?.focus(), []);
  return (
    <section className="import-step" aria-labelledby={id}>
      <h2 ref={heading} id={id} tabIndex={-1}>
        {title}
      </h2>
      {children}
    </section>
  );
}
