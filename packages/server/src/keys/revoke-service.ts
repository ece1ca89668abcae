import type { KeyRevocation, RevokedKey } from '@soku/contract/keys';
import type { Caller } from '../http/caller.ts';
import type { CommandChange, Propagation } from '../propagation/propagation.ts';
import { mayRead } from './caller-policy.ts';
import { keysRevoked } from './key-events.ts';
import { keyNotFound } from './key-not-found.ts';
import { presentKey } from './present.ts';
import { type RevokeResult, writeRevocation } from './revoke-writes.ts';
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
   * @param descendants whether to revoke its descendants too
   * @returns the key; for a caller that may not read it, only that it is revoked
   * @throws {RequestError} not_found, too_many_descendants
   */
  async revoke(caller: Caller, id: string, descendants: boolean): Promise<RevokedKey | KeyRevocation> {
    const { actor, workspaceId } = caller;
    const now = this.#now();
    const request = { workspaceId, id, by: actor.id, at: now, descendants };
    const readable = mayRead(caller, id);
    const [{ value: result, effect }, parts] = await Promise.all([
      this.#propagation.commit(async (db) => {
        const value = await writeRevocation(db, request);
        if (value === undefined) return { value };
        return { value, changed: changedBy(value), events: keysRevoked(caller, id, value.revoked, now) };
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
}

/** A revoke that changes nothing is also published, because the call that revoked these keys may still be waiting. */
function changedBy({ key, revoked, journalKeyIds }: RevokeResult): CommandChange {
  return { kind: 'revoked', ids: journalKeyIds, ...(revoked.length === 0 && { republish: key.id }) };
}
