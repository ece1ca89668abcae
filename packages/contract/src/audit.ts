/** Requests and responses of the audit log endpoints. */
import { z } from 'zod';
import { instantSchema } from './instant.ts';
import { keyIdSchema } from './keys.ts';

/** The id of an event. Also of one whose id was edited in the database, so that the pages after it can be read. */
const cursorSchema = z.string().regex(/^[ -~]{1,100}$/, 'is not a cursor');

/** What happened to what, as `noun.past_tense`. One for each command. */
export const actionSchema = z.enum([
  'key.created',
  'key.updated',
  'key.revoked',
  'workspace.updated',
  'account.created',
  'account.updated',
  'account.signed_in',
  'account.sign_in_failed',
  'account.signed_out',
  'account.sessions_revoked',
  'account.password_changed',
  'account.password_change_failed',
  'account.password_reset',
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
      'person, key, operator (a command on the machine of the server) or system (the server itself); later versions may add others',
    ),
  id: z.string().describe('The id of the account or of the key; for the others their kind'),
  name: z.string().describe('The name at that time'),
  address: z.string().nullable().describe('IP address of the client; null when there was none'),
  userAgent: z.string().nullable().describe('What the client called itself, at most 200 characters'),
  requestId: z.string().nullable().describe('The X-Request-Id of the response'),
});
export type Actor = z.infer<typeof actorSchema> & { kind: z.infer<typeof actorKindSchema> };

export const targetSchema = z.object({
  kind: z.string().describe('key, workspace, account, deployment or audit; later versions may add others'),
  id: z.string(),
  name: z.string().describe('The name at that time'),
});
export type Target = z.infer<typeof targetSchema>;

const valueSchema = z.union([z.string(), z.number(), z.boolean(), z.null()]);
export const changesSchema = z.record(z.string(), z.object({ from: valueSchema, to: valueSchema }));
export type Changes = z.infer<typeof changesSchema>;
export const detailsSchema = z.record(z.string(), valueSchema);
export type Details = z.infer<typeof detailsSchema>;

/** The digits of a SHA-256. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);

export const auditEventSchema = z
  .object({
    id: z.string().describe('Time-ordered'),
    at: instantSchema,
    action: z.string().describe(`One of ${actionSchema.options.join(', ')}; later versions may add others`),
    actor: actorSchema,
    target: targetSchema,
    changes: changesSchema.nullable().describe('The fields that changed, from what to what'),
    details: detailsSchema.nullable().describe('What else belongs to the action'),
    chain: z.string().describe('The id of the workspace, or `accounts`: sign-ins and accounts'),
    sequence: z
      .int()
      .min(1)
      .nullable()
      .describe('The place of the event in its chain; null until it is sealed, within about a second'),
    previousHash: digestSchema.nullable().describe('`hash` of the event before; 64 zeros for the first one'),
    hash: digestSchema
      .nullable()
      .describe(
        'SHA-256 of the 32 bytes of previousHash followed by the canonical JSON (RFC 8785) of this object without previousHash and hash',
      ),
    unreadable: z
      .array(z.string())
      .optional()
      .describe(
        'Only when the row was edited in the database: the fields whose stored value is not valid. They are null, empty, or taken from the id (`at`). `audit verify` reports the event',
      ),
  })
  .meta({ id: 'AuditEvent' });
export type AuditEvent = z.infer<typeof auditEventSchema>;

/** Of anything that acts or is acted on. */
const idSchema = z.string().regex(/^[!-~]{1,64}$/, 'is not an id');

/** Which events are returned. */
export const auditFilterSchema = z.strictObject({
  action: actionSchema.optional(),
  actorId: idSchema.optional().describe('The id of an account or of a key, `operator` or `system`'),
  targetId: idSchema.optional().describe('The id of a key, an account or the workspace'),
  keyId: keyIdSchema
    .optional()
    .describe('Events of this key: those that changed it, and those that it caused'),
  since: z.iso.datetime({ offset: true }).optional().describe('Events from this time on'),
  until: z.iso.datetime({ offset: true }).optional().describe('Events before this time'),
});
export type AuditFilter = z.infer<typeof auditFilterSchema>;

export const listAuditSchema = auditFilterSchema.extend({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: cursorSchema.optional().describe('nextCursor of the page before'),
});
export type ListAudit = z.infer<typeof listAuditSchema>;

export const auditPageSchema = z
  .object({ data: z.array(auditEventSchema), nextCursor: z.string().nullable() })
  .meta({ id: 'AuditPage' });
export type AuditPage = z.infer<typeof auditPageSchema>;
