import './Empty.css';
import type { Elements } from './elements.ts';
import { KeyBlank } from './KeyTeeth.tsx';

interface EmptyProps {
  title: string;
  /** Whether keys are missing, as opposed to entries of the audit log. */
  ofKeys?: boolean;
  children: Elements;
}

/** Replaces an empty list: says why it is empty and what to do. */
export function Empty({ title, ofKeys = false, children }: EmptyProps) {
  return (
    <div className="empty">
      {ofKeys ? <KeyBlank /> : null}
      <h2>{title}</h2>
      {children}
    </div>
  );
}
