/** Requests and responses of the endpoints that revoke keys. */

import { z } from 'zod';
import { instantSchema } from './instant.ts';
import { revokeReasonSchema } from './key-values.ts';

import { keyIdSchema, keySchema } from './keys.ts';

/** Where a revoke is in effect. */
const revocationSchema = z.object({
  effective: z.literal(true).describe('No server accepts the key anymore'),
  nodes: z.int().min(1).describe('How many servers have applied the revocation, including this one'),
  waitedMs: z.int().min(0).describe('How long this call waited for the other servers, in ms'),
});

export const revokedKeySchema = keySchema
  .extend({
    revocation: revocationSchema.extend({
      descendants: z
        .int()
        .min(0)
        .describe('How many other keys this call revoked (with `descendants: true`)'),
    }),
  })
  .meta({ id: 'RevokedKey' });
export type RevokedKey = z.infer<typeof revokedKeySchema>;

/** The response to a revoke when the caller may not read the key. */
export const keyRevocationSchema = revokedKeySchema
  .pick({ id: true, revocation: true })
  .extend({ status: z.literal('revoked') })
  .meta({ id: 'KeyRevocation' });
export type KeyRevocation = z.infer<typeof keyRevocationSchema>;

const reasonField = revokeReasonSchema
  .optional()
  .describe('Why the key is revoked. Stored once: a key that is already revoked keeps its reason');

export const revokeKeySchema = z
  .strictObject({
    reason: reasonField,
    descendants: z
      .boolean()
      .default(false)
      .describe(
        'Also revoke the keys that this key created, the keys that those created, and so on: at most 10,000, all or none. Also works if the key is already revoked',
      ),
  })
  .meta({ id: 'RevokeKey' });

export const revokeSelfSchema = z.strictObject({ reason: reasonField }).meta({ id: 'RevokeSelf' });

/** The response to a revoke of the calling key. */
export const selfRevocationSchema = keySchema
  .pick({ id: true, status: true })
  .extend({ revocation: revocationSchema })
  .meta({ id: 'SelfRevocation' });
export type SelfRevocation = z.infer<typeof selfRevocationSchema>;

/** Maximum number of keys in one bulk revoke that names them. */
export const maxRevokedKeys = 1000;

export const revokeKeysSchema = z
  .strictObject({
    ids: z
      .array(keyIdSchema)
      .min(1, 'must contain at least one id')
      .max(maxRevokedKeys, `must contain at most ${maxRevokedKeys.toLocaleString('en')} ids`)
      .refine((ids) => new Set(ids).size === ids.length, 'must not contain an id twice')
      .optional()
      .describe('The keys to revoke, in any status: all or none'),
    all: z.literal(true).optional().describe('Revoke every key of the workspace. Only people can do this'),
    reason: reasonField,
  })
  .refine(({ ids, all }) => (ids === undefined) !== (all === undefined), {
    path: ['ids'],
    error: 'is required, unless all is true',
  })
  .meta({ id: 'RevokeKeys' });
export type RevokeKeys = z.infer<typeof revokeKeysSchema>;

/** The response to a bulk revoke that names the keys. */
export const revokedKeysSchema = z
  .object({
    revoked: z.array(keyIdSchema).describe('The keys that this call revoked'),
    alreadyRevoked: z.array(keyIdSchema).describe('The keys that were revoked before'),
    revocation: revocationSchema,
  })
  .meta({ id: 'RevokedKeys' });
export type RevokedKeys = z.infer<typeof revokedKeysSchema>;

/** The response to a revoke of all keys. */
export const revokedWorkspaceSchema = z
  .object({
    revoked: z.int().min(0).describe('How many keys this call revoked'),
    alreadyRevoked: z.int().min(0).describe('How many keys were revoked before'),
    revocation: revocationSchema,
  })
  .meta({ id: 'RevokedWorkspace' });
export type RevokedWorkspace = z.infer<typeof revokedWorkspaceSchema>;

export const descendantsSchema = z
  .object({
    count: z
      .int()
      .min(0)
      .describe(
        'How many keys would be revoked along with this one: all descendants that are not revoked yet',
      ),
    active: z.int().min(0).describe('How many of them have not expired'),
    accepted: z.int().min(0).describe('Requests with these keys that were accepted in the last 24 hours'),
    lastUsedAt: instantSchema.nullable().describe('When a request with one of them was last accepted'),
  })
  .meta({ id: 'KeyDescendants' });
export type Descendants = z.infer<typeof descendantsSchema>;
