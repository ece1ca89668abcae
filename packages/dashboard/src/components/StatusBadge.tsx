import './StatusBadge.css';
import type { Key } from '@soku/contract/keys';
import { Ban, Clock, Pause } from 'lucide-react';
import { Badge } from './Badge.tsx';

/** The status of a key. Only a status that needs attention gets a badge, and color is never the only cue. */
export function StatusBadge({ status }: { status: Key['status'] }) {
  return (
    <span className={`status status--${status}`}>
      {status === 'active' ? <span>Active</span> : null}
      {status === 'disabled' ? (
        <Badge icon={Pause} tone="warn">
          Disabled
        </Badge>
      ) : null}
      {status === 'revoked' ? <Badge icon={Ban}>Revoked</Badge> : null}
      {status === 'expired' ? <Badge icon={Clock}>Expired</Badge> : null}
    </span>
  );
}
