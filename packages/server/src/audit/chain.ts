import { createHash } from 'node:crypto';
import { type AuditEvent, changesSchema, detailsSchema, digestSchema } from '@soku/contract/audit';
import canonicalize from 'canonicalize';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import type { Tables } from '../database/schema.ts';
import { timeOfId } from '../ids.ts';

export type EventRow = Selectable<Tables['audit_event']>;

/** The previous hash of the first event in a chain: 32 zero bytes, as 64 hexadecimal digits. */
export const firstPreviousHash = '0'.repeat(64);

const jsonSchema = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text, requireWellFormed);
  } catch {
    context.addIssue('is not JSON');
    return z.NEVER;
  }
});

/** Rejects lone surrogates, which have no canonical form (RFC 8785 section 3.2.2.2) and so cannot be sealed. */
function requireWellFormed(field: string, value: unknown): unknown {
  if (field.isWellFormed() && (typeof value !== 'string' || value.isWellFormed())) return value;
  throw new SyntaxError('lone surrogate');
}

const storedChangesSchema = jsonSchema.pipe(changesSchema);
const storedDetailsSchema = jsonSchema.pipe(detailsSchema);
const sequenceSchema = z.int().min(1);

/** Epoch ms. The response format cannot express later times. */
const lastInstant = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** @returns the time as ISO 8601; undefined if the value is not a valid time */
function instantOf(at: unknown): string | undefined {
  return typeof at === 'number' && at >= 0 && at <= lastInstant ? new Date(at).toISOString() : undefined;
}

/**
 * Converts a row to an event as the API returns it. A row that was edited in the database may contain anything. It must
 * neither stop the sealer nor hide the events around it, so `unreadable` names its invalid fields.
 */
export function toAuditEvent(row: EventRow): AuditEvent {
  const unreadable: string[] = [];
  const invalid = <T>(field: string, substitute: T): T => {
    unreadable.push(field);
    return substitute;
  };
  const text = (field: string, value: unknown) => (typeof value === 'string' ? value : invalid(field, ''));
  const textOrNull = (field: string, value: unknown) => (value === null ? null : text(field, value));
  const parsed = <T>(field: string, schema: z.ZodType<T>, value: unknown) => {
    if (value === null) return null;
    const { data } = schema.safeParse(value);
    return data === undefined ? invalid(field, null) : data;
  };
  const event = {
    id: timeOfId(row.id) === undefined ? invalid('id', String(row.id)) : row.id,
    at: instantOf(row.at) ?? invalid('at', new Date(timeOfId(row.id) ?? 0).toISOString()),
    action: text('action', row.action),
    actor: {
      kind: text('actor.kind', row.actor_kind),
      id: text('actor.id', row.actor_id),
      name: text('actor.name', row.actor_name),
      address: textOrNull('actor.address', row.address),
      userAgent: textOrNull('actor.userAgent', row.user_agent),
      requestId: textOrNull('actor.requestId', row.request_id),
    },
    target: {
      kind: text('target.kind', row.target_kind),
      id: text('target.id', row.target_id),
      name: text('target.name', row.target_name),
    },
    changes: parsed('changes', storedChangesSchema, row.changes),
    details: parsed('details', storedDetailsSchema, row.details),
    chain: text('chain', row.chain),
    sequence: parsed('sequence', sequenceSchema, row.sequence),
    previousHash: parsed('previousHash', digestSchema, row.previous_hash),
    hash: parsed('hash', digestSchema, row.hash),
  };
  return unreadable.length === 0 ? event : { ...event, unreadable };
}

/**
 * The hash that seals an event: SHA-256 of the 32 bytes of the previous hash, followed by the event as canonical JSON
 * (RFC 8785), which has its sequence number but not the two hashes. So an exported event can be verified by itself.
 */
export function sealHash(previousHash: string, event: AuditEvent): string {
  const { previousHash: _, hash: __, ...content } = event;
  const text = canonicalize(content);
  if (text === undefined) throw new Error('an event has no canonical form');
  return createHash('sha256').update(Buffer.from(previousHash, 'hex')).update(text).digest('hex');
}
