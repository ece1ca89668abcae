import { auditFilterSchema } from '@soku/contract/audit';
import type { AuditView } from '../../../api/audit.ts';
import type { AuditSearch } from '../../search.ts';

const valid = auditFilterSchema.shape;

/** What the address of the page says, without what the API would reject. */
export function viewOf({ action, actor, key, range, since, until }: AuditSearch): AuditView {
  return {
    action: valid.action.safeParse(action).data,
    actorId: valid.actorId.safeParse(actor).data,
    keyId: key,
    range: range === 'custom' ? undefined : range,
    since: valid.since.safeParse(since).data,
    until: valid.until.safeParse(until).data,
  };
}
