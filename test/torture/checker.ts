/** The history of keys and secrets, as their clients observed it, and the rules that it must not violate. */
import type { Outage } from './outage.ts';
import { Register } from './register.ts';
import {
  type AddressList,
  type Effect,
  type EndByFirstUse,
  effectOfAddresses,
  effectOfEnd,
  effectOfFlag,
  effectOfRetirement,
  effectOfScopes,
  type Judgment,
  judge,
  never,
  type Period,
  type Use,
} from './restrictions.ts';

/** Outcomes of a node that cannot work: allowed only during an outage. */
export const failures: ReadonlySet<string> = new Set(['verification_unavailable', 'no response']);

export const allAddresses: AddressList = { allowedAddresses: [], includes: [] };

/** The history of the policy of one key. */
export class KeyHistory {
  readonly isRevoked = new Register(false);
  readonly expiresAt = new Register<Period>(never);
  readonly isDisabled = new Register(false);
  readonly addresses = new Register(allAddresses);
  readonly scopes: Register<readonly string[]>;

  /** @param scopes those with which it was created */
  constructor(scopes: readonly string[] = []) {
    this.scopes = new Register(scopes);
  }
}

/** The history of one secret of a key. */
export class SecretHistory {
  readonly key: KeyHistory;
  /** When a rotation ends it, by the wall clock of the verifying node. */
  readonly retiresAt = new Register<Period>(never);
  /** The ends of older secrets that its first use sets. */
  readonly starts: readonly EndByFirstUse[];
  readonly #createdAt: number;

  /**
   * @param createdAt ms at which its creation returned
   * @param starts the ends of older secrets that its first use sets
   */
  constructor(key: KeyHistory, createdAt: number, starts: readonly EndByFirstUse[] = []) {
    this.key = key;
    this.#createdAt = createdAt;
    this.starts = starts;
  }

  /** Call this before each use is sent. @param clock the wall clock of the verifying node */
  used(clock: Period): void {
    for (const end of this.starts) end.sent(clock.from);
  }

  /**
   * @param outage of the verifying node
   * @returns the rule that a verification violates, or null
   */
  check(use: Use, outage: Outage): string | null {
    const { sentAt, outcome } = use;
    if (failures.has(outcome)) return outage.excuses(use) ? null : `${outcome} without an outage`;
    if (sentAt < this.#createdAt && outcome === 'unknown_key') return null;
    return outcome === 'accepted' ? this.#checkAccepted(use) : this.#checkRejected(use);
  }

  #checkAccepted(use: Use): string | null {
    for (const end of this.starts) end.accepted(use.clock.to);
    const due = this.#judge(use).find(([, { effect }]) => effect === 'rejects');
    if (due === undefined) return null;
    const [code, { since }] = due;
    return `accepted although ${code} was due, sent ${(use.sentAt - since).toFixed(3)} ms after the change returned`;
  }

  #checkRejected(use: Use): string | null {
    const { outcome } = use;
    const judged = this.#judge(use);
    const own = judged.findIndex(([code]) => code === outcome);
    if (own === -1) return `unexpected result ${outcome}`;
    if (judged[own]?.[1].effect === 'passes') return `${outcome} without a reason`;
    const [due] = judged.slice(0, own).find(([, { effect }]) => effect === 'rejects') ?? [];
    return due === undefined ? null : `${outcome} although ${due} was due`;
  }

  /** The effects of all restrictions, by the code of their rejection, in the order in which they are checked. */
  #judge(use: Use): [code: string, Judgment][] {
    const { isRevoked, expiresAt, isDisabled, addresses, scopes } = this.key;
    return [
      [
        'revoked_key',
        either(judge(isRevoked, use, effectOfFlag), judge(this.retiresAt, use, effectOfRetirement)),
      ],
      ['expired_key', judge(expiresAt, use, effectOfEnd)],
      ['disabled_key', judge(isDisabled, use, effectOfFlag)],
      ['ip_not_allowed', judge(addresses, use, effectOfAddresses)],
      ['insufficient_scope', judge(scopes, use, effectOfScopes)],
    ];
  }
}

/** Two restrictions that reject with the same code. */
function either(one: Judgment, other: Judgment): Judgment {
  const rejecting = [one, other].filter(({ effect }) => effect === 'rejects');
  const since = Math.min(...rejecting.map((judgment) => judgment.since));
  const effects: Effect[] = [one.effect, other.effect];
  if (rejecting.length > 0) return { effect: 'rejects', since };
  return { effect: effects.includes('unknown') ? 'unknown' : 'passes', since };
}
