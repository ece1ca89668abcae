import './EmptyState.css';
import type { Elements } from './elements.ts';
import { KeyBlank } from './KeyTeeth.tsx';

interface EmptyStateProps {
  title: string;
  /** Whether keys are missing, as opposed to entries of the audit log. */
  ofKeys?: boolean;
  children: Elements;
}

/** Replaces an empty list: says why it is empty and what to do. */
export function EmptyState({ title, ofKeys = false, children }: EmptyStateProps) {
  return (
    <div className="empty">
      {ofKeys ? <KeyBlank /> : null}
      <h2>{title}</h2>
      {children}
    </div>
  );
}
