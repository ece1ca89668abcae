import type { Random } from '../support/random.ts';
import { Life } from './checker.ts';

/** How many dead keys are still tried: enough for some minutes of revokes. */
const mostDead = 2000;

export interface TortureKey {
  id: string;
  apiKey: string;
  life: Life;
}

/** The keys of a run: those that live, those that are being revoked, and the last ones that are dead. */
export class Keys {
  readonly #random: Random;
  #living: TortureKey[] = [];
  /** A revoke was sent, and none was answered yet. */
  readonly #dying = new Set<TortureKey>();
  /** Of those, the ones whose revoke failed: it has to be sent again. */
  #unfinished: TortureKey[] = [];
  readonly #dead: TortureKey[] = [];
  #buried = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get livingCount(): number {
    return this.#living.length;
  }

  get unfinishedCount(): number {
    return this.#unfinished.length;
  }

  /** @param madeAt ms, when the creation was answered */
  add(id: string, apiKey: string, madeAt: number): TortureKey {
    const key = { id, apiKey, life: new Life(madeAt) };
    this.#living.push(key);
    return key;
  }

  living(): TortureKey {
    return this.#random.pick(this.#living);
  }

  /** Mostly keys of which something is to be feared. */
  any(): TortureKey {
    const kind = this.#random.next();
    if (kind < 0.35 && this.#dying.size > 0) return this.#random.pick([...this.#dying]);
    if (kind < 0.6 && this.#dead.length > 0) return this.#random.pick(this.#dead);
    return this.living();
  }

  /** The next one to revoke, the oldest first: every node has it in its cache. */
  condemn(): TortureKey | undefined {
    const again = this.#unfinished.shift();
    if (again !== undefined) return again;
    const key = this.#living.shift();
    if (key !== undefined) this.#dying.add(key);
    return key;
  }

  /** Its revoke was not answered with 200. */
  failed(key: TortureKey): void {
    if (this.#dying.has(key)) this.#unfinished.push(key);
  }

  /** A revoke was answered with 200. */
  bury(key: TortureKey): void {
    if (!this.#dying.delete(key)) return;
    if (this.#dead.length < mostDead) this.#dead.push(key);
    else this.#dead[this.#buried % mostDead] = key;
    this.#buried += 1;
  }
}
