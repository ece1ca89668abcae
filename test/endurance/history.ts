/** The history of keys during a run, as their clients observed it, and the rules that it must not violate. */

/** Times are ms of one monotonic clock: `sentAt` precedes the request, `receivedAt` follows the response. */
interface Timed {
  key: string;
  sentAt: number;
  receivedAt: number;
}

export type Operation =
  | (Timed & { kind: 'create' | 'revoke' })
  /** `errorCode` is null if the key was accepted. */
  | (Timed & { kind: 'use'; errorCode: string | null });

type Use = Extract<Operation, { kind: 'use' }>;

/** The times of one key's creation and first revoke. */
interface Lifetime {
  created: number;
  revokeSent: number;
  revoked: number;
}

/**
 * Finds violations of the guarantee that a revoke takes effect immediately and permanently: an acceptance of a request
 * that was sent after the revoke returned; a rejection while the key was active; an acceptance after a rejection;
 * another code than `revoked_key` after the revoke.
 *
 * @returns one line for each violation, in the order of the requests
 */
export function findViolations(history: readonly Operation[]): string[] {
  return [...Map.groupBy(history, (operation) => operation.key)].flatMap(([key, operations]) => {
    const lifetime = lifetimeOf(operations);
    const uses = operations.filter((operation) => operation.kind === 'use');
    const firstRejection = Math.min(
      ...uses
        .filter((use) => use.errorCode !== null && use.sentAt >= lifetime.created)
        .map((use) => use.receivedAt),
    );
    return uses
      .toSorted((a, b) => a.sentAt - b.sentAt)
      .flatMap((use) => {
        const problem = problemOf(use, lifetime, firstRejection);
        return problem === null ? [] : [`${key}: ${problem}`];
      });
  });
}

function problemOf(use: Use, lifetime: Lifetime, firstRejection: number): string | null {
  const { errorCode, sentAt, receivedAt } = use;
  const { created, revokeSent, revoked } = lifetime;
  if (errorCode === null) {
    if (sentAt > revoked) return `accepted ${ms(sentAt - revoked)} after the revoke returned`;
    if (sentAt > firstRejection) return `accepted ${ms(sentAt - firstRejection)} after a rejection`;
    return null;
  }
  if (sentAt >= created && receivedAt <= revokeSent) return `rejected with ${errorCode} while active`;
  if (sentAt > revoked && errorCode !== 'revoked_key') return `rejected with ${errorCode} when revoked`;
  return null;
}

/** @param operations those of one key */
function lifetimeOf(operations: readonly Operation[]): Lifetime {
  const creation = operations.find((operation) => operation.kind === 'create');
  const revokes = operations.filter((operation) => operation.kind === 'revoke');
  return {
    created: creation?.receivedAt ?? Number.POSITIVE_INFINITY,
    revokeSent: Math.min(...revokes.map((revoke) => revoke.sentAt)),
    revoked: Math.min(...revokes.map((revoke) => revoke.receivedAt)),
  };
}

function ms(duration: number): string {
  return `${duration.toFixed(3)} ms`;
}
