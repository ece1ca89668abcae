import { auditFilterSchema } from '@soku/contract/audit';
import type { AuditView } from '../../../api/audit.ts';
import type { AuditSearch } from '../../search.ts';

const valid = auditFilterSchema.shape;

/** Reads the filters from the page's address and drops values that the API would reject. */
export function toAuditView({ action, actor, key, range, since, until }: AuditSearch): AuditView {
  return {
    action: valid.action.safeParse(action).data,
    actorId: valid.actorId.safeParse(actor).data,
    keyId: key,
    range: range === 'custom' ? undefined : range,
    since: valid.since.safeParse(since).data,
    until: valid.until.safeParse(until).data,
  };
}
