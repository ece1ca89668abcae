import '../../../components/StatusBadge.css';
import type { Webhook } from '@soku/contract/webhooks';
import { CircleAlert, Pause, TriangleAlert } from 'lucide-react';
import { Badge } from '../../../components/Badge.tsx';

/** What needs attention gets a badge with a word. */
export function WebhookStatus({ webhook: { disabledReason, failingSince } }: { webhook: Webhook }) {
  if (disabledReason === 'failing') {
    return (
      <Badge icon={CircleAlert} tone="bad">
        Disabled by the server
      </Badge>
    );
  }
  if (disabledReason === 'person') {
    return (
      <Badge icon={Pause} tone="warn">
        Disabled
      </Badge>
    );
  }
  if (failingSince !== null) {
    return (
      <Badge icon={TriangleAlert} tone="warn">
        Failing
      </Badge>
    );
  }
  return (
    <span className="status status--active">
      <span>Active</span>
    </span>
  );
}
