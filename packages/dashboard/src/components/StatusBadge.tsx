import './StatusBadge.css';
import type { Key } from '@soku/contract/keys';

const words: Record<Key['status'], string> = { active: 'Active', revoked: 'Revoked', expired: 'Expired' };

/** Never the colour alone: the word is the status, the dot repeats it. */
export function StatusBadge({ status }: { status: Key['status'] }) {
  return <span className={`status status--${status}`}>{words[status]}</span>;
}
