import type { RateLimit } from '@soku/contract/rate-limits';
import type { ChangeWorkspace, Workspace } from '@soku/contract/workspaces';
import type { Kysely } from 'kysely';
import { lockRow } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { diffDetails, type NewEvent } from '../events/events.ts';
import type { Caller } from '../http/caller.ts';
import { RequestError } from '../http/errors.ts';
import { deleteWarningsOf } from '../hygiene/warnings.ts';
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
      ...settingsOf(row),
      defaultRateLimit: this.#options.keyRateLimit,
    };
  }

  /**
   * Changes the settings of a workspace. Verification applies a new limit before this resolves. A new maximum lifetime
   * applies to keys that are created, and dates that are set, from now on.
   *
   * @throws {RequestError} session_required for a key, which could otherwise raise its own limit
   */
  async change(caller: Caller, input: ChangeWorkspace): Promise<Workspace> {
    if (caller.actor.kind === 'key') throw sessionRequired();
    const id = caller.workspaceId;
    await this.#options.propagation.commit(async (db) => {
      await lockRow(db, 'workspace', id);
      const row = await find(db, id);
      const before = settingsOf(row);
      const {
        rateLimit = before.rateLimit,
        maxKeyLifetimeDays = before.maxKeyLifetimeDays,
        maxSecretAgeDays = before.maxSecretAgeDays,
        maxKeyIdleDays = before.maxKeyIdleDays,
        requireKeyExpiry = before.requireKeyExpiry,
        revokeLeakedKeys = before.revokeLeakedKeys,
      } = input;
      const expiry = { maxKeyLifetimeDays, requireKeyExpiry };
      const after = { rateLimit, ...expiry, maxSecretAgeDays, maxKeyIdleDays, revokeLeakedKeys };
      await db
        .updateTable('workspace')
        .set({
          rate_limit: formatStoredRateLimit(after.rateLimit),
          max_key_lifetime: after.maxKeyLifetimeDays,
          max_secret_age: after.maxSecretAgeDays,
          max_key_idle: after.maxKeyIdleDays,
          require_expiry: after.requireKeyExpiry ? 1 : 0,
          revoke_leaked: after.revokeLeakedKeys ? 1 : 0,
        })
        .where('id', '=', id)
        .execute();
      // A policy that is turned off and on again must not disable keys that were warned under the earlier one.
      if (after.maxKeyIdleDays !== before.maxKeyIdleDays) await deleteWarningsOf(db, id);
      const events = workspaceUpdated(caller, { name: row.name, before, after }, this.#options.now());
      return { value: undefined, changed: { kind: 'workspace', id }, events };
    });
    return this.get(id);
  }
}

/** The settings that people can change. */
type Settings = Omit<Workspace, 'id' | 'name' | 'defaultRateLimit'>;

function settingsOf(row: Awaited<ReturnType<typeof find>>): Settings {
  return {
    rateLimit: parseStoredRateLimit(row.rate_limit),
    maxKeyLifetimeDays: row.max_key_lifetime,
    maxSecretAgeDays: row.max_secret_age,
    maxKeyIdleDays: row.max_key_idle,
    requireKeyExpiry: row.require_expiry === 1,
    revokeLeakedKeys: row.revoke_leaked === 1,
  };
}

/**
 * @param name of the workspace
 * @param at epoch ms
 * @returns no event if nothing changed
 */
function workspaceUpdated(
  { actor, workspaceId: id }: Caller,
  { name, before, after }: { name: string; before: Settings; after: Settings },
  at: number,
): NewEvent[] {
  const changes = diffDetails({ ...before }, { ...after });
  if (changes === undefined) return [];
  const target = { kind: 'workspace', id, name } as const;
  return [{ chain: id, at, actor, action: 'workspace.updated', target, changes }];
}

async function find(db: Kysely<Tables>, id: string) {
  const row = await db
    .selectFrom('workspace')
    .select(['id', 'name', 'rate_limit', 'max_key_lifetime', 'require_expiry'])
    .select(['max_secret_age', 'max_key_idle', 'revoke_leaked'])
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
