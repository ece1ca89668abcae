import type { Target } from '@soku/contract/audit';
import { builtInScopes, type ChangeScopes, type ScopeCatalog } from '@soku/contract/scope-catalog';
import { containsKey } from '@soku/key';
import type { Kysely } from 'kysely';
import { lockRow } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { type NewEvent, workspaceTarget } from '../events/events.ts';
import type { Caller } from '../http/caller.ts';
import { RequestError } from '../http/errors.ts';
import { keyInFieldError } from '../http/key-in-field.ts';
import type { Propagation } from '../propagation/propagation.ts';
import { readCatalog, writeCatalog } from './catalog.ts';

type OwnScopes = ChangeScopes['scopes'];

/** The unrevoked keys that hold a scope. */
export interface ScopeHolders {
  scope: string;
  count: number;
  /** Names of the first of them. */
  names: readonly string[];
}

interface Options {
  propagation: Propagation;
  /** Key prefixes, to detect a key that was pasted into a description. */
  prefixes: readonly string[];
  /** Finds the unrevoked keys that hold scopes by their names, not by a wildcard. Scopes that none holds are omitted. */
  holdersOf: (db: Kysely<Tables>, workspaceId: string, scopes: readonly string[]) => Promise<ScopeHolders[]>;
  /** Epoch ms. */
  now: () => number;
}

/** Reads and replaces the scope catalogs of workspaces. */
export class ScopeService {
  readonly #db: Kysely<Tables>;
  readonly #options: Options;

  constructor(db: Kysely<Tables>, options: Options) {
    this.#db = db;
    this.#options = options;
  }

  async list(workspaceId: string): Promise<ScopeCatalog> {
    return present(await readCatalog(this.#db, workspaceId));
  }

  /**
   * Replaces the catalog of a workspace. Verification does not read it, so no server needs to be informed.
   *
   * @throws {RequestError} session_required for a key, which could otherwise extend its own wildcards;
   *   invalid_request; scope_in_use
   */
  async replace(caller: Caller, scopes: OwnScopes): Promise<ScopeCatalog> {
    if (caller.actor.kind === 'key') throw sessionRequired();
    this.#rejectKeys(scopes);
    const { propagation, holdersOf, now } = this.#options;
    const { workspaceId } = caller;
    const { value } = await propagation.commit(async (db) => {
      await lockRow(db, 'workspace', workspaceId);
      const before = await readCatalog(db, workspaceId);
      const removed = namesIn(before).filter((name) => !namesIn(scopes).includes(name));
      if (removed.length > 0) rejectRemoval(await holdersOf(db, workspaceId, removed));
      await writeCatalog(db, workspaceId, scopes);
      return {
        value: await readCatalog(db, workspaceId),
        events: scopesUpdated(
          caller,
          await workspaceTarget(db, workspaceId),
          { before, removed, after: scopes },
          now(),
        ),
      };
    });
    return present(value);
  }

  #rejectKeys(scopes: OwnScopes): void {
    const index = scopes.findIndex(({ description }) => containsKey(description, this.#options.prefixes));
    if (index !== -1) throw keyInFieldError(`scopes.${index}.description`, 'text');
  }
}

function present(own: OwnScopes): ScopeCatalog {
  return { data: [...own.map((scope) => ({ ...scope, builtIn: false })), ...builtInScopes] };
}

function namesIn(scopes: OwnScopes): string[] {
  return scopes.map(({ name }) => name);
}

/** Maximum number of scopes that a rejection names. */
const maxNamed = 10;

/** @throws {RequestError} scope_in_use */
function rejectRemoval(held: readonly ScopeHolders[]): void {
  if (held.length === 0) return;
  const named = held.slice(0, maxNamed);
  const list = named.map(({ scope, count }) => `${scope} (${keys(count)})`).join(', ');
  const more = held.length > maxNamed ? ` and ${held.length - maxNamed} more` : '';
  throw new RequestError({
    code: 'scope_in_use',
    message: `Keys that are not revoked have scopes that this call would remove: ${list}${more}. Change or revoke these keys first.`,
    details: named.map((holders) => ({ path: 'scopes', problem: describeHolders(holders) })),
  });
}

function describeHolders({ scope, count, names }: ScopeHolders): string {
  const more = count > names.length ? ` and ${count - names.length} more` : '';
  return `must include ${scope}, the scope of ${keys(count)}: ${names.join(', ')}${more}`;
}

function keys(count: number): string {
  return `${count} ${count === 1 ? 'key' : 'keys'}`;
}

/**
 * @param name of the workspace
 * @param at epoch ms
 * @returns no event if nothing changed
 */
function scopesUpdated(
  { actor, workspaceId }: Caller,
  target: Target,
  { before, removed, after }: { before: OwnScopes; removed: readonly string[]; after: OwnScopes },
  at: number,
): NewEvent[] {
  const texts = new Map(before.map((scope) => [scope.name, scope.description]));
  const added = after.filter((scope) => !texts.has(scope.name));
  const described = after.filter(
    (scope) => texts.has(scope.name) && texts.get(scope.name) !== scope.description,
  );
  const details = {
    added: namesIn(added).join(' '),
    removed: removed.join(' '),
    described: namesIn(described).join(' '),
  };
  if (Object.values(details).every((names) => names === '')) return [];
  return [{ chain: workspaceId, at, actor, action: 'scopes.updated', target, details }];
}

function sessionRequired(): RequestError {
  return new RequestError({
    code: 'session_required',
    message: 'A key cannot change the scope catalog. Sign in to the dashboard and change it there.',
  });
}
