import type { Kysely } from 'kysely';
import { chunk } from '../chunk.ts';
import { lockAvailableKeys } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { systemActor } from '../events/actor.ts';
import type { NewEvent } from '../events/events.ts';
import type { CommandResult, Propagation } from '../propagation/propagation.ts';
import { Pacer } from '../usage/pacer.ts';
import { type AgeRequest, filterOldKeys, type OldKey, oldKeys } from './old-keys.ts';
import { earlierClock } from './uptime.ts';
import { lockPolicy, searchWorkspaces } from './workspaces.ts';

/** Keys per transaction, which blocks the process for some ms with SQLite. */
const batchSize = 100;

interface Options {
  db: Kysely<Tables>;
  propagation: Propagation;
  /** Epoch ms. */
  now: () => number;
  pacer?: Pacer;
  /** Called when the search failed for one workspace. The next search repeats it. */
  failed: (error: unknown, workspaceId: string) => void;
}

/**
 * Warns once about each secret that becomes older than its workspace permits. Several nodes may do this at the same time:
 * a row records each warning, with the row of the workspace locked.
 */
export class AgePolicy {
  readonly #options: Options;
  readonly #pacer: Pacer;
  #stopped = false;

  constructor(options: Options) {
    this.#options = options;
    this.#pacer = options.pacer ?? new Pacer();
  }

  /** Looks at all keys once. */
  async apply(): Promise<void> {
    const { db, failed, now } = this.#options;
    const clock = now();
    // Each warning is recorded once, so a node with a fast clock must not record it too early.
    const ahead = clock - (await earlierClock(db, clock));
    const currentTime = () => now() - ahead;
    await searchWorkspaces(db, 'max_secret_age', {
      isStopped: () => this.#stopped,
      apply: (policy) => this.#applyTo({ ...policy, now: currentTime(), currentTime }),
      failed,
    });
  }

  /** Lets a running `apply` end after the current transaction. */
  stop(): void {
    this.#stopped = true;
    this.#pacer.hurry();
  }

  async #applyTo(request: AgeRequest): Promise<void> {
    const { db, propagation } = this.#options;
    for await (const page of oldKeys(db, request)) {
      if (this.#stopped) return;
      for (const keys of chunk(page, batchSize)) {
        if (this.#stopped) return;
        const ids = keys.map(({ id }) => id);
        await this.#pacer.step(() => propagation.commit((own) => this.#warn(own, request, ids)));
      }
    }
  }

  /** Warns about keys. Those that another transaction is changing are left to the next search. */
  async #warn(db: Kysely<Tables>, request: AgeRequest, ids: readonly string[]): Promise<CommandResult<void>> {
    if (!(await lockPolicy(db, 'max_secret_age', request))) return { value: undefined };
    // Read again, because a key may have been rotated, changed or warned about since it was found.
    const keys = await filterOldKeys(db, request, await lockAvailableKeys(db, ids));
    // The search may have begun minutes ago. Emails and webhooks look for events by the time in their ids.
    const at = request.currentTime();
    await recordWarnings(db, request, keys, at);
    return { value: undefined, events: keys.map((key) => keyIsOld(request, key, at)) };
  }
}

async function recordWarnings(
  db: Kysely<Tables>,
  { days }: AgeRequest,
  keys: readonly OldKey[],
  at: number,
): Promise<void> {
  if (keys.length === 0) return;
  await db
    .insertInto('age_warning')
    .values(
      keys.map(({ id, secretCreatedAt }) => ({
        key_id: id,
        secret_created_at: secretCreatedAt,
        days,
        warned_at: at,
      })),
    )
    .onConflict((conflict) =>
      conflict.column('key_id').doUpdateSet(({ ref }) => ({
        secret_created_at: ref('excluded.secret_created_at'),
        days: ref('excluded.days'),
        warned_at: ref('excluded.warned_at'),
      })),
    )
    .execute();
}

function keyIsOld(
  { workspaceId, days }: AgeRequest,
  { id, name, secretCreatedAt }: OldKey,
  at: number,
): NewEvent {
  return {
    chain: workspaceId,
    at,
    actor: systemActor,
    action: 'key.policy_warned',
    target: { kind: 'key', id, name },
    details: {
      policy: 'maxSecretAgeDays',
      days,
      secretCreatedAt: new Date(secretCreatedAt).toISOString(),
    },
  };
}
