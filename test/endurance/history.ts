/** What happened to keys during a run, as their clients saw it, and what must not have happened. */

/** Times are ms of one monotonic clock; a request is written after `sentAt`, and its answer read before `answeredAt`. */
interface Timed {
  key: string;
  sentAt: number;
  answeredAt: number;
}

export type Operation =
  | (Timed & { kind: 'create' | 'revoke' })
  /** `refused` holds the error's code; null is an acceptance. */
  | (Timed & { kind: 'use'; refused: string | null });

type Use = Extract<Operation, { kind: 'use' }>;

/** From when to when what is known of one key. */
interface Life {
  made: number;
  revokeSent: number;
  revoked: number;
}

/**
 * Finds what breaks the promise "immediate and for ever": an acceptance of what was sent after the revoke was
 * answered; a refusal of what came and went while the key was alive; an acceptance after a refusal; another
 * reason than `revoked_key` afterwards.
 *
 * @returns one line for each, in the order of sending; empty for a good history
 */
export function findViolations(history: readonly Operation[]): string[] {
  return [...Map.groupBy(history, (operation) => operation.key)].flatMap(([key, operations]) => {
    const life = lifeOf(operations);
    const own = operations.filter((operation) => operation.kind === 'use');
    const firstRefusal = Math.min(
      ...own.filter((use) => use.refused !== null && use.sentAt >= life.made).map((use) => use.answeredAt),
    );
    return own
      .toSorted((a, b) => a.sentAt - b.sentAt)
      .flatMap((use) => {
        const problem = problemOf(use, life, firstRefusal);
        return problem === null ? [] : [`${key}: ${problem}`];
      });
  });
}

function problemOf(use: Use, life: Life, firstRefusal: number): string | null {
  const { refused, sentAt, answeredAt } = use;
  if (refused === null) {
    if (sentAt > life.revoked) return `accepted ${ms(sentAt - life.revoked)} after the revoke was answered`;
    if (sentAt > firstRefusal) return `accepted ${ms(sentAt - firstRefusal)} after a refusal was answered`;
    return null;
  }
  if (sentAt >= life.made && answeredAt <= life.revokeSent) return `refused with ${refused} while alive`;
  if (sentAt > life.revoked && refused !== 'revoked_key') return `refused with ${refused} when revoked`;
  return null;
}

/** @param own the operations of one key */
function lifeOf(own: readonly Operation[]): Life {
  const made = own.find((operation) => operation.kind === 'create');
  const revokes = own.filter((operation) => operation.kind === 'revoke');
  return {
    made: made?.answeredAt ?? Number.POSITIVE_INFINITY,
    revokeSent: Math.min(...revokes.map((revoke) => revoke.sentAt)),
    revoked: Math.min(...revokes.map((revoke) => revoke.answeredAt)),
  };
}

function ms(duration: number): string {
  return `${duration.toFixed(3)} ms`;
}
