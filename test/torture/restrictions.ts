/** What a restriction of a key does to a verification, given all of its values that may have been in effect. */
import type { Change, Register } from './register.ts';

/** A period of the wall clock, in epoch ms. */
export interface Period {
  from: number;
  to: number;
}

/** One verification. */
export interface Use {
  /** ms of one monotonic clock, taken before the request and after the response. */
  sentAt: number;
  receivedAt: number;
  /** Times that the wall clock of the verifying node may have had during the request. */
  clock: Period;
  /** Times of the wall clock of the database, which no fault changes. */
  wall: Period;
  /** The canonical address of the client. */
  address: string;
  /** The required scopes. */
  scopes: readonly string[];
  /** 'accepted', an error code, or 'no response' when the connection broke. */
  outcome: string;
}

/** Whether a use must be rejected or must pass; 'unknown' while that is being changed. */
export type Effect = 'rejects' | 'passes' | 'unknown';

/** An effect, and for 'rejects' since when it has been certain, in ms of the monotonic clock. */
export interface Judgment {
  effect: Effect;
  since: number;
}

/** ms by which the wall clock of the machine may be adjusted during a request. */
export const clockToleranceMs = 5;

/** The addresses from which a key is accepted. */
export interface AddressList {
  /** As sent to the API. Empty: all. */
  allowedAddresses: readonly string[];
  /** Those of the clients that they include, in canonical form. */
  includes: readonly string[];
}

/** The effect of a register whose values are judged one by one. */
export function judge<T>(
  register: Register<T>,
  use: Use,
  effectOf: (value: T, use: Use) => Effect,
): Judgment {
  const possible = register.possible(use.sentAt, use.receivedAt);
  const effects = new Set(possible.map(({ value }) => effectOf(value, use)));
  const [effect = 'unknown'] = effects;
  return { effect: effects.size === 1 ? effect : 'unknown', since: certainSince(possible) };
}

function certainSince<T>(possible: readonly Change<T>[]): number {
  return Math.min(...possible.map(({ completedAt }) => completedAt));
}

export function effectOfFlag(isSet: boolean): Effect {
  return isSet ? 'rejects' : 'passes';
}

/** @param end when the key or the secret ends: some time in this period */
export function effectOfEnd(end: Period, { clock }: Use): Effect {
  if (end.to + clockToleranceMs <= clock.from) return 'rejects';
  return clock.to + clockToleranceMs < end.from ? 'passes' : 'unknown';
}

/** @param end when a secret retires. From then on, by the clock of the database, any node may retire it for all nodes */
export function effectOfRetirement(end: Period, use: Use): Effect {
  const effect = effectOfEnd(end, use);
  return effect === 'passes' && use.wall.to + clockToleranceMs >= end.from ? 'unknown' : effect;
}

export function effectOfAddresses({ allowedAddresses, includes }: AddressList, { address }: Use): Effect {
  return effectOfFlag(allowedAddresses.length > 0 && !includes.includes(address));
}

export function effectOfScopes(grants: readonly string[], { scopes }: Use): Effect {
  return effectOfFlag(scopes.some((scope) => !grants.includes(scope)));
}

export const never: Period = { from: Number.POSITIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/** Before any time that a clock may show. */
export const atOnce: Period = { from: Number.NEGATIVE_INFINITY, to: Number.NEGATIVE_INFINITY };

/** What is not known while a request is in progress. */
export interface Uncertainty {
  /** How far in ms the clock of a node may be set back. */
  clockMs: number;
  /** How long in ms after the first use of a secret the nodes may not know the end that it sets. */
  firstUseMs: number;
}

/** An end that the first use of another secret sets: that use and a grace after it. */
export class EndByFirstUse implements Period {
  from = Number.POSITIVE_INFINITY;
  to = Number.POSITIVE_INFINITY;
  readonly #graceMs: number;
  readonly #uncertainty: Uncertainty;

  constructor(graceMs: number, uncertainty: Uncertainty) {
    this.#graceMs = graceMs;
    this.#uncertainty = uncertainty;
  }

  /** Call this before a use is sent. It may be the first that is accepted. @param at epoch ms, no later than the use */
  sent(at: number): void {
    this.from = Math.min(this.from, at + this.#graceMs - this.#uncertainty.clockMs);
  }

  /** Call this when a use was accepted. @param at epoch ms, no earlier than the use */
  accepted(at: number): void {
    this.to = Math.min(this.to, at + Math.max(this.#graceMs, this.#uncertainty.firstUseMs));
  }
}

/** The earlier of two ends. */
export function earlier(one: Period, other: Period): Period {
  return {
    get from() {
      return Math.min(one.from, other.from);
    },
    get to() {
      return Math.min(one.to, other.to);
    },
  };
}
