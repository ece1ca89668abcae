/** Requests of the endpoints that replace and retire secrets of a key. */
import { z } from 'zod';
import { keySchema } from './keys.ts';

/** Maximum number of secrets of a key that are not retired. */
export const maxUnretiredSecrets = 5;

/** In seconds: 30 days and one day. */
const [maxGrace, defaultGrace] = [2_592_000, 86_400];

export const startGraceSchema = z.enum(['now', 'firstUse']);
export type StartGrace = z.infer<typeof startGraceSchema>;

export const rotateKeySchema = z
  .strictObject({
    graceSeconds: z
      .int()
      .min(0)
      .max(maxGrace)
      .default(defaultGrace)
      .describe('How long the older secrets of the key are still accepted; 0: they are retired at once'),
    startGrace: startGraceSchema
      .default('now')
      .describe(
        'When this time starts: now, or with the first accepted request with the new secret, other than GET /v1/me',
      ),
  })
  .refine(({ graceSeconds, startGrace }) => graceSeconds > 0 || startGrace === 'now', {
    path: ['startGrace'],
    message: 'must be now if graceSeconds is 0',
  })
  .meta({ id: 'RotateKey' });
export type RotateKey = z.infer<typeof rotateKeySchema>;

/** The response to the retirement of a secret when the caller may not read the key. */
export const secretRetirementSchema = keySchema
  .pick({ id: true })
  .extend({ secretId: z.string(), secretStatus: z.literal('retired') })
  .meta({ id: 'SecretRetirement' });
export type SecretRetirement = z.infer<typeof secretRetirementSchema>;
