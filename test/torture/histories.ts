/** Hand-written histories for the tests of the checker. */
import { KeyHistory, SecretHistory } from './checker.ts';
import { Outage } from './outage.ts';
import type { Register } from './register.ts';
import type { Use } from './restrictions.ts';

/** A secret whose creation returned at 10. */
export function created(scopes: readonly string[] = []): SecretHistory {
  return new SecretHistory(new KeyHistory(scopes), 10);
}

/** Records a change that was sent at `sentAt` and returned at `completedAt`. */
export function change<T>(register: Register<T>, value: T, sentAt: number, completedAt: number): void {
  register.change(value, sentAt).completed(completedAt);
}

/** The epoch ms of the time 0. The clocks of all nodes agree. */
export const epoch = 1_700_000_000_000;

/** Checks a use that is not restricted to an address and requires no scopes, unless `more` states them. */
export function check(
  history: SecretHistory,
  sentAt: number,
  receivedAt: number,
  outcome: string,
  more: Partial<Use> = {},
  outage = new Outage(),
): string | null {
  const clock = { from: epoch + sentAt, to: epoch + receivedAt };
  const use = {
    sentAt,
    receivedAt,
    clock,
    wall: more.clock ?? clock,
    address: '192.0.2.1',
    scopes: [],
    outcome,
    ...more,
  };
  return history.check(use, outage);
}
