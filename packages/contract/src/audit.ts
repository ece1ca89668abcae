/** Requests and responses of the audit log endpoints. */
import { z } from 'zod';
import { instantSchema } from './instant.ts';
import { keyIdSchema } from './keys.ts';

/** An event id. It accepts ids that were edited in the database, so that the pages after them can still be read. */
const cursorSchema = z.string().regex(/^[ -~]{1,100}$/, 'must be a valid cursor');

/** What happened, as `noun.past_tense`. Each command has one. */
export const actionSchema = z.enum([
  'key.created',
  'key.updated',
  'key.rotated',
  'key.secret_retired',
  'key.revoked',
  'key.imported',
  'key.ended_secret_used',
  'key.leak_reported',
  'key.policy_warned',
  'scopes.updated',
  'workspace.updated',
  'workspace.keys_revoked',
  'webhook.created',
  'webhook.updated',
  'webhook.deleted',
  'webhook.secret_rotated',
  'webhook.test_sent',
  'webhook.redelivered',
  'webhook.disabled',
  'account.created',
  'account.updated',
  'account.signed_in',
  'account.sign_in_failed',
  'account.signed_out',
  'account.sessions_revoked',
  'account.password_changed',
  'account.password_change_failed',
  'account.password_reset',
  'account.notifications_updated',
  'backup.restored',
  'database.moved',
  'audit.pruned',
]);
export type Action = z.infer<typeof actionSchema>;

export const actorKindSchema = z.enum(['person', 'key', 'operator', 'system']);

export const actorSchema = z.object({
  kind: z
    .string()
    .describe(
      'person, key, operator (a command on the server machine) or system (the server itself); later versions may add others',
    ),
  id: z.string().describe('The id of the account or key; otherwise the same as kind'),
  name: z.string().describe('The name at that time'),
  address: z.string().nullable().describe('IP address of the client; null when there is none'),
  userAgent: z.string().nullable().describe('The User-Agent of the client, at most 200 characters'),
  requestId: z.string().nullable().describe('The X-Request-Id of the response'),
});
export type Actor = z.infer<typeof actorSchema> & { kind: z.infer<typeof actorKindSchema> };

export const targetSchema = z.object({
  kind: z
    .string()
    .describe('key, workspace, webhook, account, deployment or audit; later versions may add others'),
  id: z.string(),
  name: z.string().describe('The name at that time'),
});
export type Target = z.infer<typeof targetSchema>;

const valueSchema = z.union([z.string(), z.number(), z.boolean(), z.null()]);
export const changesSchema = z.record(z.string(), z.object({ from: valueSchema, to: valueSchema }));
export type Changes = z.infer<typeof changesSchema>;
export const detailsSchema = z.record(z.string(), valueSchema);
export type Details = z.infer<typeof detailsSchema>;

/** A SHA-256 in hexadecimal. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);

export const auditEventSchema = z
  .object({
    id: z.string().describe('Time-ordered'),
    at: instantSchema,
    action: z.string().describe(`One of ${actionSchema.options.join(', ')}; later versions may add others`),
    actor: actorSchema,
    target: targetSchema,
    changes: changesSchema.nullable().describe('The changed fields, each with its old and new value'),
    details: detailsSchema.nullable().describe('Other information about the action'),
    chain: z.string().describe('The id of the workspace, or `accounts` for sign-ins and accounts'),
    sequence: z
      .int()
      .min(1)
      .nullable()
      .describe('The position of the event in its chain; null until it is sealed, within about a second'),
    previousHash: digestSchema
      .nullable()
      .describe('`hash` of the previous event; 64 zeros for the first one'),
    hash: digestSchema
      .nullable()
      .describe(
        'SHA-256 of the 32 bytes of previousHash followed by the canonical JSON (RFC 8785) of this object without previousHash and hash',
      ),
    unreadable: z
      .array(z.string())
      .optional()
      .describe(
        'Present only if the row was edited in the database: the fields whose stored value is invalid. They are null, empty, or derived from the id (`at`). `audit verify` reports the event',
      ),
  })
  .meta({ id: 'AuditEvent' });
export type AuditEvent = z.infer<typeof auditEventSchema>;

/** The id of an actor or a target. */
const idSchema = z.string().regex(/^[!-~]{1,64}$/, 'must be an id');

/** Which events are returned. */
export const auditFilterSchema = z.strictObject({
  action: actionSchema.optional(),
  actorId: idSchema.optional().describe('The id of an account or a key, or `operator` or `system`'),
  targetId: idSchema.optional().describe('The id of a key, a webhook, an account or a workspace'),
  keyId: keyIdSchema.optional().describe('Events that changed this key or were caused by it'),
  since: z.iso.datetime({ offset: true }).optional().describe('Events at or after this time'),
  until: z.iso.datetime({ offset: true }).optional().describe('Events before this time'),
});
export type AuditFilter = z.infer<typeof auditFilterSchema>;

export const listAuditSchema = auditFilterSchema.extend({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: cursorSchema.optional().describe('nextCursor of the previous page'),
});
export type ListAudit = z.infer<typeof listAuditSchema>;

export const auditPageSchema = z
  .object({ data: z.array(auditEventSchema), nextCursor: z.string().nullable() })
  .meta({ id: 'AuditPage' });
export type AuditPage = z.infer<typeof auditPageSchema>;
