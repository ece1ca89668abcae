/** What clients do. A check verifies a revoked key at a node itself, without the load balancer. */
export type Kind = 'valid key' | 'revoked key' | 'create' | 'revoke' | 'wrong key' | 'check';

/** For people, in the order of reports. */
export const kindTitles: Record<Kind, string> = {
  'valid key': 'verifications of valid keys',
  'revoked key': 'verifications of revoked keys',
  'wrong key': 'guesses from one address',
  create: 'creations of keys',
  revoke: 'revokes',
  check: 'checks of revoked keys at each node',
};

interface TallyListener {
  /** Called for the first request of each kind and outcome that failed. */
  onFailure?: (kind: Kind, outcome: string) => void;
  /** Called for the first violated guarantee. */
  onBroken?: (guarantee: string) => void;
}

/** What the clients saw during one fault. */
export class Tally {
  /** Requests by kind and outcome. */
  readonly outcomes = new Map<Kind, Map<string, number>>();
  readonly longestMs = new Map<Kind, number>();
  /** Violated guarantees. */
  readonly broken: string[] = [];
  /** Requests of clients, without checks, that got no useful response. */
  failures = 0;
  /** Verifications that accepted a key whose revoke had returned. */
  acceptedAfterRevoke = 0;
  /** Requests without a response so far. */
  pending = 0;
  readonly #listener: TallyListener;

  constructor(listener: TallyListener = {}) {
    this.#listener = listener;
  }

  addBroken(guarantee: string): void {
    this.broken.push(guarantee);
    if (this.broken.length === 1) this.#listener.onBroken?.(guarantee);
  }

  add(kind: Kind, outcome: string, ms: number, isFailure: boolean): void {
    const ofKind = this.outcomes.get(kind) ?? new Map<string, number>();
    this.outcomes.set(kind, ofKind);
    const count = (ofKind.get(outcome) ?? 0) + 1;
    ofKind.set(outcome, count);
    this.longestMs.set(kind, Math.max(ms, this.longestMs.get(kind) ?? 0));
    if (!isFailure || kind === 'check') return;
    this.failures += 1;
    if (count === 1) this.#listener.onFailure?.(kind, outcome);
  }

  /** Number of requests of a kind. */
  count(kind: Kind): number {
    const counts = this.outcomes.get(kind) ?? new Map<string, number>();
    return [...counts.values()].reduce((sum, count) => sum + count, 0);
  }
}
