import type { Random } from './random.ts';

/**
 * - none: no faults, so no valid key may be rejected
 * - random: any fault at any time
 * - targeted: one fault at the worst moment
 */
export type FaultMode = 'none' | 'random' | 'targeted';

/** The faults of one schedule: none, a few or many of each kind. */
export class FaultInjector {
  readonly nodes: number;
  readonly mode: FaultMode;
  /** Number of faults of each kind in one schedule. */
  readonly pauses: number;
  readonly crashes: number;
  readonly wallJumps: number;
  readonly restarts: number;
  readonly prunes: number;
  readonly leaves: number;
  /** Whether a pause suspends the machine, which also stops its monotonic clock. */
  readonly suspends: boolean;
  /** Whether a restart is a failover that loses commits. */
  readonly failovers: boolean;
  /** How far the rates of monotonic clocks differ; below the margin. */
  readonly rates: number;
  /** ms after which a node abandons a statement. */
  readonly timeoutMs: number;
  readonly #random: Random;
  readonly #lostNotifications: number;
  readonly #lost: number;
  readonly #slow: number;
  readonly #stuck: number;
  readonly #longest: number;
  #replicaIsCut = false;
  #ended = false;
  /** Called for each delay; true near a critical moment. */
  #isCritical: () => boolean = () => false;

  /**
   * @param longest maximum ms of a message or a statement
   * @param mode default: random
   */
  constructor(random: Random, longest: number, mode = modeOf(random.next())) {
    this.#random = random;
    this.#longest = longest;
    this.mode = mode;
    this.nodes = 2 + Math.floor(random.next() * random.next() * 3);
    this.#lostNotifications = this.mode === 'none' ? 0 : (random.pickAny([0, 0, 0.3, 1]) ?? 0);
    this.#lost = this.#some([0, 0, 0.02, 0.1]);
    this.pauses = this.#some([0, 1, 2, 4]);
    this.crashes = this.#some([0, 0, 0, 1]);
    this.leaves = this.#some([0, 0, 0, 1]);
    this.wallJumps = this.#some([0, 0, 1, 3]);
    this.suspends = this.mode !== 'none' && random.chance(0.3);
    this.failovers = this.#some([0, 0, 0, 1]) === 1;
    this.restarts = this.failovers ? 3 : this.#some([0, 0, 0, 1]);
    this.prunes = this.#some([0, 0, 5, 20]);
    this.rates = this.mode !== 'none' && random.chance(0.5) ? 0.095 : 0;
    this.timeoutMs = longest * (this.mode === 'none' ? 1 : random.between(0.2, 1.5));
    this.#slow = this.#some([0, 0.05, 0.2]);
    this.#stuck = this.#some([0, 0.02, 0.06]);
  }

  /** @param isCritical whether a delay at this time is most likely to expose a mistake */
  delayWhen(isCritical: () => boolean): void {
    this.#isCritical = isCritical;
  }

  /** ms for which a message is in transit. */
  transitMs(): number {
    return this.#random.between(0.2, 2) + this.#delay();
  }

  /** ms between two steps of a statement. */
  stepMs(): number {
    return this.#delay();
  }

  /** ms until the replica has a commit. */
  replicationMs(): number {
    if (this.#ended) return 0;
    if (this.#replicaIsCut) return this.#random.between(20, 200);
    if (!this.failovers) return 0;
    return this.#random.chance(0.3) ? this.#random.between(0, this.#longest / 4) : 0;
  }

  /** Makes the replica lag for the rest of the schedule. */
  cutReplica(): void {
    this.#replicaIsCut = true;
  }

  /** Stops all faults from now on. */
  end(): void {
    this.#ended = true;
  }

  /** Whether a notification is lost. */
  losesNotification(): boolean {
    return !this.#ended && this.#random.chance(this.#lostNotifications);
  }

  /** Whether a request or a response is lost. */
  loses(): boolean {
    return !this.#ended && this.#random.chance(this.#lost);
  }

  #delay(): number {
    if (this.#ended) return 0;
    const chance = this.#random.next();
    if (this.#isCritical() && chance < 0.4) {
      return this.#random.between(0, chance < 0.2 ? 10 : this.#longest / 2);
    }
    if (chance < this.#stuck) return this.#random.between(0, this.#longest);
    return chance < this.#stuck + this.#slow ? this.#random.between(0, 30) : 0;
  }

  #some(values: readonly number[]): number {
    const value = this.#random.pickAny(values) ?? 0;
    return this.mode === 'random' ? value : 0;
  }
}

function modeOf(chance: number): FaultMode {
  if (chance < 0.05) return 'none';
  return chance < 0.4 ? 'targeted' : 'random';
}
