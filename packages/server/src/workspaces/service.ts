import type { RateLimit } from '@soku/contract/rate-limits';
import type { ChangeWorkspace, Workspace } from '@soku/contract/workspaces';
import type { Kysely } from 'kysely';
import { lockRow } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { changesOf, type NewEvent } from '../events/events.ts';
import type { Caller } from '../http/caller.ts';
import { RequestError } from '../http/errors.ts';
import { formatStoredRateLimit, parseStoredRateLimit } from '../limits/rate-limit.ts';
import type { Propagation } from '../propagation/propagation.ts';

interface Options {
  /** The limit of keys if neither they nor their workspace have one: SOKU_KEY_RATE_LIMIT. */
  keyRateLimit: RateLimit;
  propagation: Propagation;
  /** Epoch ms. */
  now: () => number;
}

/** The settings that all keys of a workspace share. */
export class WorkspaceService {
  readonly #db: Kysely<Tables>;
  readonly #options: Options;

  constructor(db: Kysely<Tables>, options: Options) {
    this.#db = db;
    this.#options = options;
  }

  async get(id: string): Promise<Workspace> {
    const row = await find(this.#db, id);
    return {
      id: row.id,
      name: row.name,
      rateLimit: parseStoredRateLimit(row.rate_limit),
      defaultRateLimit: this.#options.keyRateLimit,
    };
  }

  /**
   * Changes the limit of a workspace. Verification applies the change before this resolves.
   *
   * @throws {RequestError} session_required for a key, which could otherwise raise its own limit
   */
  async change(caller: Caller, { rateLimit }: ChangeWorkspace): Promise<Workspace> {
    if (caller.actor.kind === 'key') throw sessionRequired();
    const id = caller.workspaceId;
    await this.#options.propagation.commit(async (db) => {
      await lockRow(db, 'workspace', id);
      const before = await find(db, id);
      await db
        .updateTable('workspace')
        .set({ rate_limit: formatStoredRateLimit(rateLimit) })
        .where('id', '=', id)
        .execute();
      const events = workspaceUpdated(caller, before, rateLimit, this.#options.now());
      return { value: undefined, changed: { kind: 'workspace', id }, events };
    });
    return this.get(id);
  }
}

/**
 * @param before the workspace before the change
 * @param at epoch ms
 * @returns no event if nothing changed
 */
function workspaceUpdated(
  { actor, workspaceId: id }: Caller,
  before: { name: string; rate_limit: number | null },
  rateLimit: RateLimit | null,
  at: number,
): NewEvent[] {
  const changes = changesOf({ rateLimit: parseStoredRateLimit(before.rate_limit) }, { rateLimit });
  if (changes === undefined) return [];
  const target = { kind: 'workspace', id, name: before.name } as const;
  return [{ chain: id, at, actor, action: 'workspace.updated', target, changes }];
}

async function find(db: Kysely<Tables>, id: string) {
  const row = await db
    .selectFrom('workspace')
    .select(['id', 'name', 'rate_limit'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined) throw new Error('the workspace of the caller does not exist');
  return row;
}

function sessionRequired(): RequestError {
  return new RequestError({
    code: 'session_required',
    message: 'A key cannot change workspace settings. Sign in to the dashboard and change them there.',
  });
}
