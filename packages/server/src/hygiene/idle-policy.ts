import type { Kysely } from 'kysely';
import { chunk } from '../chunk.ts';
import { lockAvailableKeys } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import type { NewEvent } from '../events/events.ts';
import type { CommandResult, Propagation } from '../propagation/propagation.ts';
import { lastUseStepMs } from '../usage/hours.ts';
import { Pacer } from '../usage/pacer.ts';
import { keyDisabled, keyWarned } from './idle-events.ts';
import { filterIdleKeys, type IdleKey, type IdleRequest, idleKeys } from './idle-keys.ts';
import { dueStep, type IdleStep } from './idle-steps.ts';
import { nodesWithUnwrittenUses } from './unwritten-usage.ts';
import { type IdleTimeReset, recordRunningServer } from './uptime.ts';
import { deleteObsoleteWarnings, writeWarnings } from './warnings.ts';
import { lockPolicy, searchWorkspaces } from './workspaces.ts';

/** Keys per transaction, which blocks the process for some ms with SQLite. */
const batchSize = 100;

interface Options {
  db: Kysely<Tables>;
  propagation: Propagation;
  /**
   * When this process last accepted a key, in epoch ms, if that is not written yet. It awaits nothing, so that a use cannot
   * be written, and missed, meanwhile.
   */
  lastOpenUse: (keyId: string) => number | undefined;
  /** Epoch ms. */
  now: () => number;
  pacer?: Pacer;
  /** Called when the search failed for one workspace. The next search repeats it. */
  failed: (error: unknown, workspaceId: string) => void;
  /** Called when no key is looked at, because these nodes may have uses that are not written. */
  paused: (nodes: readonly string[]) => void;
  /** Called when the idle time of all keys starts over. */
  reset: (reset: IdleTimeReset) => void;
}

/**
 * Warns about keys that are idle, and disables them, in workspaces with this policy. Several nodes may do this at the same
 * time: each step is taken with the row of the workspace locked, in the transaction that records it, so it is taken once.
 */
export class IdlePolicy {
  readonly #options: Options;
  readonly #pacer: Pacer;
  #stopped = false;

  constructor(options: Options) {
    this.#options = options;
    this.#pacer = options.pacer ?? new Pacer();
  }

  /**
   * Looks at all keys once. While a node has uses that are not written, it does nothing, and does not record that servers
   * ran: these uses are lost if the node ends, so idle times start over if this lasts for long.
   */
  async apply(): Promise<void> {
    const { db, reset, paused, failed } = this.#options;
    const unwritten = await nodesWithUnwrittenUses(db);
    if (unwritten.length > 0) return paused(unwritten);
    const clock = this.#options.now();
    const watched = await recordRunningServer(db, clock);
    const { now, since } = watched;
    if (watched.reset !== undefined) reset(watched.reset);
    await deleteObsoleteWarnings(db, now);
    const knownSince = Math.max(since, await completeSince(db));
    const currentTime = () => now + this.#options.now() - clock;
    await searchWorkspaces(db, 'max_key_idle', {
      isStopped: () => this.#stopped,
      apply: (policy) => this.#applyTo({ ...policy, knownSince, now, currentTime }),
      failed,
    });
  }

  /** Lets a running `apply` end after the current transaction. */
  stop(): void {
    this.#stopped = true;
    this.#pacer.hurry();
  }

  async #applyTo(request: IdleRequest): Promise<void> {
    const { db, propagation } = this.#options;
    for await (const page of idleKeys(db, request)) {
      if (this.#stopped) return;
      const due = page.filter((key) => stepOf(key, request) !== undefined);
      for (const keys of chunk(due, batchSize)) {
        if (this.#stopped) return;
        const ids = keys.map(({ id }) => id);
        await this.#pacer.step(() => propagation.commit((own) => this.#takeSteps(own, request, ids)));
      }
    }
  }

  /** Takes the due steps of keys. Those that another transaction is changing are left to the next search. */
  async #takeSteps(
    db: Kysely<Tables>,
    request: IdleRequest,
    ids: readonly string[],
  ): Promise<CommandResult<void>> {
    const nothing = { value: undefined };
    if (!(await lockPolicy(db, 'max_key_idle', request))) return nothing;
    if ((await nodesWithUnwrittenUses(db)).length > 0) return nothing;
    const free = await lockAvailableKeys(db, ids);
    // Before the keys are read: a use that is written after this is in memory now, and one that was written before is read.
    const openUses = new Map(free.map((id) => [id, this.#options.lastOpenUse(id)]));
    /** Also sees the uses since then. */
    const isUnused = ({ id, since }: IdleKey) =>
      [openUses.get(id), this.#options.lastOpenUse(id)].every(
        (at) => at === undefined || stepStart(at) <= since,
      );
    // Read again, because a key may have been used, changed or warned since it was found.
    const keys = (await filterIdleKeys(db, request, free)).filter(isUnused);
    // The search may have begun minutes ago. Emails and webhooks look for events by the time in their ids.
    const at = request.currentTime();
    const byStep = Map.groupBy(keys, (key) => stepOf(key, request));
    const events: NewEvent[] = [];
    for (const step of ['first', 'last'] as const) {
      const warned = (byStep.get(step) ?? []).map((key) => ({ ...key, [step]: at }));
      await writeWarnings(db, request.days, warned);
      events.push(...warned.map((key) => keyWarned(request, key, at)));
    }
    const disabled = (byStep.get('disable') ?? []).filter(isUnused);
    if (disabled.length === 0) return { ...nothing, events };
    const disabledIds = disabled.map(({ id }) => id);
    await db.updateTable('api_key').set({ disabled_at: at }).where('id', 'in', disabledIds).execute();
    await db.deleteFrom('idle_warning').where('key_id', 'in', disabledIds).execute();
    events.push(...disabled.map((key) => keyDisabled(request, key, at)));
    return { ...nothing, changed: { kind: 'keys', ids: disabledIds }, events };
  }
}

/** The stored last use of a key, on which `since` depends, is the start of five minutes. */
function stepStart(at: number): number {
  return at - (at % lastUseStepMs);
}

function stepOf(key: IdleKey, { days, now }: IdleRequest): IdleStep | undefined {
  return dueStep(key.since, days, key, now);
}

async function completeSince(db: Kysely<Tables>): Promise<number> {
  const row = await db.selectFrom('usage_history').select('complete_since').executeTakeFirstOrThrow();
  return row.complete_since;
}
