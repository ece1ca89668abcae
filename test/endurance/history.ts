/** The history of keys during a run on one server, as their clients observed it, and the rules that it must not violate. */
import { KeyHistory, SecretHistory } from '../torture/checker.ts';
import { Outage } from '../torture/outage.ts';
import type { Change } from '../torture/register.ts';

/** Times are ms of one monotonic clock: `sentAt` precedes the request, `receivedAt` follows the response. */
interface Timed {
  key: string;
  sentAt: number;
  receivedAt: number;
}

export type Operation =
  | (Timed & { kind: 'create' | 'revoke' })
  /** `begin` records the change. Changes of one key follow one another. */
  | (Timed & { kind: 'change'; begin(history: SecretHistory, sentAt: number): Change<unknown> })
  /** `errorCode` is null if the key was accepted. `scopes` are those that the use requires. */
  | (Timed & { kind: 'use'; errorCode: string | null; scopes?: readonly string[] });

type Use = Extract<Operation, { kind: 'use' }>;

/** Servers do not fail in these runs. */
const noOutage = new Outage();

/**
 * Finds violations of the rules of the torture test, and of one that holds for a single server: no acceptance of a request
 * that was sent after the key was rejected as revoked.
 *
 * @returns one line for each violation, in the order of the requests
 */
export function findViolations(history: readonly Operation[]): string[] {
  return [...Map.groupBy(history, (operation) => operation.key)].flatMap(([key, operations]) => {
    const checked = historyOf(operations);
    const uses = operations.filter((operation) => operation.kind === 'use');
    const firstRejection = Math.min(
      ...uses.filter((use) => use.errorCode === 'revoked_key').map((use) => use.receivedAt),
    );
    return uses
      .toSorted((a, b) => a.sentAt - b.sentAt)
      .flatMap((use) => {
        const problem = check(checked, use) ?? checkOrder(use, firstRejection);
        return problem === null ? [] : [`${key}: ${problem}`];
      });
  });
}

/** @param operations those of one key */
function historyOf(operations: readonly Operation[]): SecretHistory {
  const creation = operations.find((operation) => operation.kind === 'create');
  const history = new SecretHistory(
    new KeyHistory(['keys:read']),
    creation?.receivedAt ?? Number.POSITIVE_INFINITY,
  );
  for (const operation of operations.toSorted((a, b) => a.sentAt - b.sentAt)) {
    const { kind, sentAt, receivedAt } = operation;
    if (kind === 'revoke') history.key.isRevoked.change(true, sentAt).completed(receivedAt);
    if (kind === 'change') operation.begin(history, sentAt).completed(receivedAt);
  }
  return history;
}

function check(history: SecretHistory, { sentAt, receivedAt, errorCode, scopes = [] }: Use): string | null {
  const clock = { from: Date.now(), to: Date.now() };
  const outcome = errorCode ?? 'accepted';
  return history.check(
    { sentAt, receivedAt, outcome, scopes, clock, wall: clock, address: '127.0.0.1' },
    noOutage,
  );
}

function checkOrder({ errorCode, sentAt }: Use, firstRejection: number): string | null {
  if (errorCode !== null || sentAt <= firstRejection) return null;
  return `accepted ${(sentAt - firstRejection).toFixed(3)} ms after it was rejected as revoked`;
}
