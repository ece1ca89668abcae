import type { Random } from '../support/random.ts';
import { KeyHistory, SecretHistory } from './checker.ts';
import type { UsedSecret } from './clients.ts';

/** Maximum number of revoked keys that are still used: enough for some minutes of revokes. */
const maxRevoked = 2000;

/** The keys that only a revoke changes: active ones, those that are being revoked, and the most recently revoked ones. */
export class Keys {
  readonly #random: Random;
  #active: UsedSecret[] = [];
  /** Keys whose revoke was sent but has not returned. */
  readonly #revoking = new Set<UsedSecret>();
  /** Those of them whose revoke failed and must be sent again. */
  #unfinished: UsedSecret[] = [];
  readonly #revoked: UsedSecret[] = [];
  #revokedCount = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get activeCount(): number {
    return this.#active.length;
  }

  get unfinishedCount(): number {
    return this.#unfinished.length;
  }

  /** @param createdAt ms at which the creation returned */
  add(id: string, apiKey: string, createdAt: number): UsedSecret {
    const key = { id, apiKey, history: new SecretHistory(new KeyHistory(), createdAt) };
    this.#active.push(key);
    return key;
  }

  randomActive(): UsedSecret {
    return this.#random.pick(this.#active);
  }

  /** A random key, mostly one that is being revoked or was revoked recently. */
  randomKey(): UsedSecret {
    const kind = this.#random.next();
    if (kind < 0.35 && this.#revoking.size > 0) return this.#random.pick([...this.#revoking]);
    if (kind < 0.6 && this.#revoked.length > 0) return this.#random.pick(this.#revoked);
    return this.randomActive();
  }

  /** The next key to revoke, oldest first, so that every node has it in its cache. */
  nextToRevoke(): UsedSecret | undefined {
    const again = this.#unfinished.shift();
    if (again !== undefined) return again;
    const key = this.#active.shift();
    if (key !== undefined) this.#revoking.add(key);
    return key;
  }

  /** Call this when a revoke did not return 200. */
  recordFailedRevoke(key: UsedSecret): void {
    if (this.#revoking.has(key)) this.#unfinished.push(key);
  }

  /** Call this when a revoke returned 200. */
  recordRevoked(key: UsedSecret): void {
    if (!this.#revoking.delete(key)) return;
    if (this.#revoked.length < maxRevoked) this.#revoked.push(key);
    else this.#revoked[this.#revokedCount % maxRevoked] = key;
    this.#revokedCount += 1;
  }
}
