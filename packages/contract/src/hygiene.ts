/** Requests and responses of the hygiene report: keys that need attention. */
import { z } from 'zod';
import { instantSchema } from './instant.ts';
import { keySchema } from './keys.ts';

/** In the order in which the report lists them. */
export const hygieneKindSchema = z.enum([
  'rotation_unfinished',
  'older_than_policy',
  'idle_90_days',
  'idle_30_days',
  'never_used',
  'unrestricted',
  'expires_too_late',
  'never_expires',
]);
export type HygieneKind = z.infer<typeof hygieneKindSchema>;

const hygieneActionSchema = z.enum([
  'finish_rotation',
  'rotate',
  'revoke',
  'disable',
  'edit_access',
  'change_expiry',
  'set_expiry',
]);

/** What to do about each kind. */
export const hygieneActions: Readonly<Record<HygieneKind, z.infer<typeof hygieneActionSchema>>> = {
  rotation_unfinished: 'finish_rotation',
  older_than_policy: 'rotate',
  idle_90_days: 'revoke',
  idle_30_days: 'disable',
  never_used: 'revoke',
  unrestricted: 'edit_access',
  expires_too_late: 'change_expiry',
  never_expires: 'set_expiry',
};

/** The settings of a workspace that a key can violate. */
const hygienePolicySchema = z.enum([
  'maxSecretAgeDays',
  'maxKeyIdleDays',
  'requireKeyExpiry',
  'maxKeyLifetimeDays',
]);
export type HygienePolicy = z.infer<typeof hygienePolicySchema>;

/** The key of the last finding on a page, and its time. */
const cursorSchema = z
  .string()
  .regex(
    /^[a-z_0-9]{1,30}\.\d{1,15}\.key_[0-9a-hjkmnp-tv-z]{26}$/,
    'must be nextCursor of the previous page',
  );

export const listHygieneSchema = z.strictObject({
  kind: hygieneKindSchema.optional().describe('Only findings of this kind'),
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: cursorSchema.optional().describe('nextCursor of the previous page'),
  include: z.literal('counts').optional(),
});
export type ListHygiene = z.infer<typeof listHygieneSchema>;

export const hygieneSchema = z
  .object({
    data: z
      .array(
        z.object({
          kind: hygieneKindSchema,
          key: keySchema,
          since: instantSchema.describe('When this began'),
          action: hygieneActionSchema.describe('What to do about it'),
          policy: hygienePolicySchema
            .nullable()
            .describe('The setting of the workspace that the key violates; null: none'),
        }),
      )
      .describe('By kind, then the oldest first'),
    nextCursor: z.string().nullable().describe('null: this is the last page'),
    usageCompleteSince: instantSchema.describe(
      'The time from which every use is known. Before that, no key counts as unused',
    ),
    counts: z
      .object({
        rotation_unfinished: z.int(),
        older_than_policy: z.int(),
        idle_90_days: z.int(),
        idle_30_days: z.int(),
        never_used: z.int(),
        unrestricted: z.int(),
        expires_too_late: z.int(),
        never_expires: z.int(),
      } satisfies Record<HygieneKind, z.ZodInt>)
      .optional()
      .describe('The number of keys of each kind. Only with include=counts'),
  })
  .meta({ id: 'Hygiene' });
export type Hygiene = z.infer<typeof hygieneSchema>;
