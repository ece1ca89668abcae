import { z } from 'zod';
import { newSigningSecret, type SecretBox } from './signing-secrets.ts';

const storedSchema = z.array(
  z.object({
    /** By SecretBox. */
    sealed: z.string(),
    /** Epoch ms. */
    createdAt: z.number(),
    /** Epoch ms from which it no longer signs; null: it is the newest. */
    retiresAt: z.number().nullable(),
  }),
);
type StoredSecret = z.infer<typeof storedSchema>[number];

/**
 * The signing secrets in the column `secrets` that are not retired, newest first.
 *
 * @param now epoch ms
 */
export function readSecrets(column: string, now: number): StoredSecret[] {
  return storedSchema
    .parse(JSON.parse(column))
    .filter(({ retiresAt }) => retiresAt === null || retiresAt > now);
}

/**
 * Adds a new signing secret before the others, which retire after the grace period. A secret never retires later than an
 * earlier rotation set.
 *
 * @param older the secrets that are not retired
 * @returns the new secret, and the column
 */
export function addSecret(
  older: readonly StoredSecret[],
  box: SecretBox,
  { webhookId, now, grace }: { webhookId: string; now: number; grace: number },
): { secret: string; column: string } {
  const secret = newSigningSecret();
  const retired = older.map((one) => ({
    ...one,
    retiresAt: Math.min(one.retiresAt ?? Infinity, now + grace),
  }));
  const newest = { sealed: box.seal(secret, webhookId), createdAt: now, retiresAt: null };
  const all = [newest, ...retired.filter(({ retiresAt }) => retiresAt > now)];
  return { secret, column: JSON.stringify(all) };
}
