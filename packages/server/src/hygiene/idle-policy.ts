import { setImmediate as turn } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { lockFreeKeys, lockRow } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import type { NewEvent } from '../events/events.ts';
import type { CommandResult, Propagation } from '../propagation/propagation.ts';
import { split } from '../split.ts';
import { keyDisabled, keyWarned } from './idle-events.ts';
import { type IdleKey, type IdleRequest, idleAmong, idleKeys } from './idle-keys.ts';
import { dueStep, type IdleStep } from './idle-steps.ts';
import { watch } from './watch.ts';

/** Keys per transaction, workspaces per statement, and void warnings per statement. */
const batch = { keys: 100, workspaces: 200, void: 200 };

interface Options {
  db: Kysely<Tables>;
  propagation: Propagation;
  /** Those of the keys that were accepted after a time, including uses that are not written yet. */
  usedAfter: (keys: readonly { id: string; since: number }[]) => Promise<ReadonlySet<string>>;
  /** Epoch ms. */
  now: () => number;
}

/**
 * Warns about keys that are idle, and disables them, in workspaces that chose so. Several nodes may do this at the same
 * time: each step is taken with the row of the workspace locked, in the transaction that records it, so it is taken once.
 */
export class IdlePolicy {
  readonly #options: Options;
  #stopped = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Looks at all keys once. */
  async apply(): Promise<void> {
    const { db } = this.#options;
    const { now, since } = await watch(db, this.#options.now());
    await deleteVoid(db, now);
    const knownSince = Math.max(since, await completeSince(db));
    for await (const { id, days } of workspacesWithPolicy(db)) {
      if (this.#stopped) return;
      await this.#applyTo({ workspaceId: id, days, knownSince, now });
    }
  }

  /** Lets a running `apply` end after the current transaction. */
  stop(): void {
    this.#stopped = true;
  }

  async #applyTo(request: IdleRequest): Promise<void> {
    for await (const page of idleKeys(this.#options.db, request)) {
      const due = page.filter((key) => stepOf(key, request) !== undefined);
      for (const keys of split(due, batch.keys)) {
        if (this.#stopped) return;
        const used = await this.#options.usedAfter(keys);
        const ids = keys.flatMap(({ id }) => (used.has(id) ? [] : [id]));
        await this.#options.propagation.commit((db) => takeSteps(db, request, ids));
      }
    }
  }
}

function stepOf(key: IdleKey, { days, now }: IdleRequest): IdleStep | undefined {
  return dueStep(key.since, days, key, now);
}

/** Takes the due steps of keys. Those that another transaction is changing are left to the next search. */
async function takeSteps(
  db: Kysely<Tables>,
  request: IdleRequest,
  ids: readonly string[],
): Promise<CommandResult<void>> {
  const nothing = { value: undefined };
  if (ids.length === 0 || !(await lockPolicy(db, request))) return nothing;
  // Read again, because a key may have been used, changed or warned since it was found.
  const keys = await idleAmong(db, request, await lockFreeKeys(db, ids));
  const byStep = Map.groupBy(keys, (key) => stepOf(key, request));
  const events: NewEvent[] = [];
  for (const step of ['first', 'last'] as const) {
    const warned = (byStep.get(step) ?? []).map((key) => ({ ...key, [step]: request.now }));
    await writeWarnings(db, request, warned);
    events.push(...warned.map((key) => keyWarned(request, key)));
  }
  const disabled = byStep.get('disable') ?? [];
  const disabledIds = disabled.map(({ id }) => id);
  if (disabled.length === 0) return { ...nothing, events };
  await db.updateTable('api_key').set({ disabled_at: request.now }).where('id', 'in', disabledIds).execute();
  await db.deleteFrom('idle_warning').where('key_id', 'in', disabledIds).execute();
  events.push(...disabled.map((key) => keyDisabled(request, key)));
  return { ...nothing, changed: { kind: 'keys', ids: disabledIds }, events };
}

/** Whether the workspace still has the policy. No other transaction can change it until this one ends. */
async function lockPolicy(db: Kysely<Tables>, { workspaceId, days }: IdleRequest): Promise<boolean> {
  await lockRow(db, 'workspace', workspaceId);
  const row = await db
    .selectFrom('workspace')
    .select(['max_key_idle', 'revoking_at'])
    .where('id', '=', workspaceId)
    .executeTakeFirst();
  return row?.max_key_idle === days && row.revoking_at === null;
}

async function writeWarnings(
  db: Kysely<Tables>,
  { days, now }: IdleRequest,
  keys: readonly IdleKey[],
): Promise<void> {
  if (keys.length === 0) return;
  await db
    .insertInto('idle_warning')
    .values(
      keys.map(({ id, since, first, last }) => ({
        key_id: id,
        idle_since: since,
        days,
        first_at: first ?? now,
        last_at: last,
      })),
    )
    .onConflict((conflict) =>
      conflict.column('key_id').doUpdateSet(({ ref }) => ({
        idle_since: ref('excluded.idle_since'),
        days: ref('excluded.days'),
        first_at: ref('excluded.first_at'),
        last_at: ref('excluded.last_at'),
      })),
    )
    .execute();
}

async function completeSince(db: Kysely<Tables>): Promise<number> {
  const row = await db.selectFrom('usage_history').select('complete_since').executeTakeFirstOrThrow();
  return row.complete_since;
}

async function* workspacesWithPolicy(db: Kysely<Tables>): AsyncGenerator<{ id: string; days: number }, void> {
  for (let after = ''; ; ) {
    const rows = await db
      .selectFrom('workspace')
      .select(['id', 'max_key_idle'])
      .where('max_key_idle', 'is not', null)
      .where('id', '>', after)
      .orderBy('id')
      .limit(batch.workspaces)
      .execute();
    for (const { id, max_key_idle: days } of rows) if (days !== null) yield { id, days };
    after = rows.at(-1)?.id ?? '';
    if (rows.length < batch.workspaces) return;
  }
}

/** Deletes the warnings of keys that were used or are not accepted anymore, and those of another policy. */
async function deleteVoid(db: Kysely<Tables>, now: number): Promise<void> {
  for (;;) {
    const { rows } = await sql`
      DELETE FROM idle_warning WHERE key_id IN (
        SELECT i.key_id FROM idle_warning i JOIN api_key k ON k.id = i.key_id
          JOIN key_use u ON u.key_id = i.key_id JOIN workspace w ON w.id = k.workspace_id
        WHERE k.revoked_at IS NOT NULL OR k.disabled_at IS NOT NULL OR k.expires_at <= ${now}
          OR u.used_at > i.idle_since OR w.max_key_idle IS NULL OR w.max_key_idle <> i.days
        LIMIT ${sql.lit(batch.void)})
      RETURNING key_id`.execute(db);
    if (rows.length < batch.void) return;
    await turn();
  }
}
