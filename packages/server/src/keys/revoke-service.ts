import type { Actor } from '@soku/contract/audit';
import type { RevokeReason } from '@soku/contract/key-policy';
import type { KeyRevocation, RevokedKey, RevokedKeys, SelfRevocation } from '@soku/contract/revocations';
import type { Origin } from '../events/actor.ts';
import type { Caller } from '../http/caller.ts';
import type { CommandChange, Propagation } from '../propagation/propagation.ts';
import type { IdentifiedSecret } from '../verification/key-identifier.ts';
import { mayRead } from './caller-policy.ts';
import { endSecret } from './end-secret.ts';
import { keysRevoked } from './key-events.ts';
import { presentKey, statusOf } from './present.ts';
import { keyNotFound, keysNotFound } from './problems.ts';
import {
  type BulkRevokeResult,
  changedByRevoke,
  findOwnSecret,
  writeRevocation,
  writeRevocations,
} from './revoke-writes.ts';
import type { KeyService } from './service.ts';

/** Revokes keys. */
export class RevokeService {
  readonly #keys: Pick<KeyService, 'partsOf'>;
  readonly #propagation: Propagation;
  readonly #now: () => number;

  /** @param now epoch ms */
  constructor(keys: Pick<KeyService, 'partsOf'>, propagation: Propagation, now: () => number) {
    this.#keys = keys;
    this.#propagation = propagation;
    this.#now = now;
  }

  /**
   * Revokes a key permanently. Once this resolves, no verification that starts afterwards accepts the key.
   *
   * @param options `descendants`: whether to revoke its descendants too
   * @returns the key; for a caller that may not read it, only that it is revoked
   * @throws {RequestError} not_found, too_many_descendants
   */
  async revoke(
    caller: Caller,
    id: string,
    { reason, descendants }: { reason: RevokeReason | null; descendants: boolean },
  ): Promise<RevokedKey | KeyRevocation> {
    const { actor, workspaceId } = caller;
    const now = this.#now();
    const request = { workspaceId, id, by: actor.id, at: now, reason, descendants };
    const readable = mayRead(caller, id);
    const [{ value: result, effect }, parts] = await Promise.all([
      this.#propagation.commit(async (db) => {
        const value = await writeRevocation(db, request);
        if (value === undefined) return { value };
        return {
          value,
          changed: changedByRevoke(value),
          events: keysRevoked(caller, value.revoked, request, id),
        };
      }),
      // In parallel with the transaction and the wait for other nodes.
      readable ? this.#keys.partsOf(id) : { secrets: [], uses: [] },
    ]);
    if (result === undefined) throw keyNotFound();
    const count = result.revoked.filter((one) => one.id !== id).length;
    const revocation = { effective: true, ...effect, descendants: count } as const;
    if (!readable) return { id, status: 'revoked', revocation };
    return { ...presentKey({ row: result.key, ...parts }, now), revocation };
  }

  /**
   * Revokes several keys permanently, all or none. Once this resolves, no verification that starts afterwards accepts
   * any of them.
   *
   * @param ids at most maxRevokedKeys, without duplicates
   * @throws {RequestError} not_found, with the ids that the workspace does not have
   */
  async revokeMany(
    caller: Caller,
    ids: readonly string[],
    reason: RevokeReason | null,
  ): Promise<RevokedKeys> {
    const { actor, workspaceId } = caller;
    const request = { workspaceId, by: actor.id, at: this.#now(), reason };
    const { value, effect } = await this.#propagation.commit(async (db) => {
      const result = await writeRevocations(db, request, ids);
      if (result.missing.length > 0) throw keysNotFound(ids, result.missing);
      const events = keysRevoked(caller, result.revoked, request);
      return { value: result, changed: changedByMany(result, ids), events };
    });
    const revoked = new Set(value.revoked.map(({ id }) => id));
    return {
      revoked: ids.filter((id) => revoked.has(id)),
      alreadyRevoked: value.alreadyRevoked,
      revocation: { effective: true, ...effect },
    };
  }

  /**
   * Revokes the key with a secret, or only the secret if the key has a newer one. Once this resolves, no verification that
   * starts afterwards accepts the secret.
   *
   * @param origin of the call
   * @throws {RequestError} not_found
   */
  async revokeSelf(
    { hash, keyId, workspaceId }: Omit<IdentifiedSecret, 'problem'>,
    origin: Origin,
    reason: RevokeReason | null,
  ): Promise<SelfRevocation> {
    const now = this.#now();
    const { value: key, effect } = await this.#propagation.commit(async (db) => {
      const found = await findOwnSecret(db, workspaceId, keyId, hash);
      if (found === undefined) throw keyNotFound();
      const actor: Actor = { kind: 'key', id: keyId, name: found.key.name, ...origin };
      return endSecret(db, found, { actor, workspaceId, reason, now });
    });
    return { id: keyId, status: statusOf(key, now), revocation: { effective: true, ...effect } };
  }
}

/** Like changedByRevoke, for several keys. A change of any key makes the call wait for all earlier changes. */
function changedByMany({ revoked, alreadyRevoked }: BulkRevokeResult, ids: readonly string[]): CommandChange {
  const [republish] = alreadyRevoked;
  return { kind: 'revoked', ids, ...(revoked.length === 0 && republish !== undefined && { republish }) };
}
