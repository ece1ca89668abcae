import type { Actor } from '@soku/contract/audit';
import type { RevokeReason } from '@soku/contract/key-policy';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import type { CommandResult } from '../propagation/propagation.ts';
import { keysRevoked, secretsRetired } from './key-events.ts';
import { keyNotFound } from './problems.ts';
import { changedByRevoke, type findOwnSecret, writeRevocation } from './revoke-writes.ts';
import { writeRetirement } from './rotation-writes.ts';
import type { KeyRow } from './store.ts';

/** A secret whose key is locked. */
type FoundSecret = NonNullable<Awaited<ReturnType<typeof findOwnSecret>>>;

/**
 * Revokes the key of a secret, or retires only the secret if the key has a newer one. Call it inside the transaction of
 * the command.
 *
 * @param options `now`: epoch ms
 * @returns the key
 * @throws {RequestError} not_found
 */
export async function endSecret(
  db: Kysely<Tables>,
  { key, id: secretId, isNewest }: FoundSecret,
  {
    actor,
    workspaceId,
    reason,
    now,
  }: { actor: Actor; workspaceId: string; reason: RevokeReason | null; now: number },
): Promise<CommandResult<KeyRow>> {
  const caller = { actor, workspaceId };
  if (key.revoked_at === null && !isNewest) {
    const retirement = { workspaceId, keyId: key.id, secretId, now };
    const { retired, changed } = await writeRetirement(db, retirement);
    const events = secretsRetired(caller, key, { secrets: retired, reason: 'requested' }, now);
    return { value: key, changed, events };
  }
  const request = { workspaceId, id: key.id, by: actor.id, at: now, reason, descendants: false };
  const result = await writeRevocation(db, request);
  if (result === undefined) throw keyNotFound();
  const events = keysRevoked(caller, result.revoked, request);
  return { value: result.key, changed: changedByRevoke(result), events };
}
