import './StatusBadge.css';
import type { Key } from '@soku/contract/keys';

const labels: Record<Key['status'], string> = { active: 'Active', revoked: 'Revoked', expired: 'Expired' };

/** The status as text; the colored dot only repeats it, so that color is never the only cue. */
export function StatusBadge({ status }: { status: Key['status'] }) {
  return <span className={`status status--${status}`}>{labels[status]}</span>;
}
