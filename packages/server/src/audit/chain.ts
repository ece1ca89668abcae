import { createHash } from 'node:crypto';
import { type AuditEvent, auditEventSchema } from '@soku/contract/audit';
import canonicalize from 'canonicalize';
import type { Selectable } from 'kysely';
import type { Tables } from '../database/schema.ts';

export type EventRow = Selectable<Tables['audit_event']>;

/** The previous hash of the first event of a chain: 32 zero bytes. */
export const firstPreviousHash = '0'.repeat(64);

/**
 * An event as the API returns it.
 *
 * @throws when the row is not one that this program wrote
 */
export function toEvent(row: EventRow): AuditEvent {
  return auditEventSchema.parse({
    id: row.id,
    at: new Date(row.at).toISOString(),
    action: row.action,
    actor: {
      kind: row.actor_kind,
      id: row.actor_id,
      name: row.actor_name,
      address: row.address,
      userAgent: row.user_agent,
      requestId: row.request_id,
    },
    target: { kind: row.target_kind, id: row.target_id, name: row.target_name },
    changes: row.changes === null ? null : JSON.parse(row.changes),
    details: row.details === null ? null : JSON.parse(row.details),
    chain: row.chain,
    sequence: row.sequence,
    previousHash: row.previous_hash,
    hash: row.hash,
  });
}

/**
 * The hash that seals an event: SHA-256 of the 32 bytes of the hash before it, followed by the event as canonical JSON
 * (RFC 8785), including its sequence number, without the two hashes. So an exported event can be checked by itself.
 */
export function sealOf(previousHash: string, event: AuditEvent): string {
  const { previousHash: _, hash: __, ...content } = event;
  const text = canonicalize(content);
  if (text === undefined) throw new Error('an event has no canonical form');
  return createHash('sha256').update(Buffer.from(previousHash, 'hex')).update(text).digest('hex');
}
