import { actionSchema, auditFilterSchema } from '@soku/contract/audit';
import type { AuditView } from '../../../api/audit.ts';
import type { AuditSearch } from '../../search.ts';

/** What the address of the page says, without what the API would reject. */
export function viewOf({ action, actor, key, range, since, until }: AuditSearch): AuditView {
  return {
    action: actionSchema.safeParse(action).data,
    actorId: actor === '' ? undefined : actor,
    keyId: key,
    range: range === 'custom' ? undefined : range,
    since: auditFilterSchema.shape.since.safeParse(since).data,
    until: auditFilterSchema.shape.until.safeParse(until).data,
  };
}
