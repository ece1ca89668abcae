import { setImmediate as turn } from 'node:timers/promises';
import type { RevokeReason } from '@soku/contract/key-policy';
import type { RevokedWorkspace } from '@soku/contract/revocations';
import type { Kysely } from 'kysely';
import { lockRow } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import type { Caller } from '../http/caller.ts';
import { RequestError } from '../http/errors.ts';
import type { CommandResult, Propagation } from '../propagation/propagation.ts';
import { PeriodicTask, type Schedule, scheduleTimer } from '../timers/periodic-task.ts';
import { findIdempotent, hashToken, insertToken } from './idempotency.ts';
import { workspaceKeysRevoked } from './key-events.ts';
import {
  countKeys,
  findRevoked,
  type KeyCounts,
  readRevokeMark,
  revokeBatch,
  workspacesMarkedBefore,
  writeRevokeMark,
} from './revoke-all-writes.ts';

/** ms between two searches for workspaces whose revoke was interrupted. */
const searchInterval = 2000;

/** ms after which a revoke that has not finished counts as interrupted, so that this server helps to finish it. */
const interruptedAfter = 3000;

interface Options {
  db: Kysely<Tables>;
  propagation: Propagation;
  /** Epoch ms. */
  now: () => number;
  /** Called when an interrupted revoke could not be finished. It is retried. */
  failed: (error: unknown) => void;
  schedule?: Schedule;
}

/** What the first transaction of a call has found. */
type Begun = KeyCounts & { marked: boolean };

/** Revokes all keys of a workspace. If the process ends in the meantime, the next one, or another node, finishes this. */
export class WorkspaceRevoker {
  readonly #options: Options;
  readonly #finishing = new Map<string, Promise<void>>();
  readonly #resuming: PeriodicTask;
  #stopping = false;

  constructor(options: Options) {
    this.#options = options;
    this.#resuming = new PeriodicTask(() => this.#resume(), {
      interval: searchInterval,
      failed: options.failed,
      schedule: options.schedule ?? scheduleTimer,
    });
  }

  /** Call it when the server listens. */
  start(): void {
    this.#resuming.start(0);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#resuming.stop();
    await Promise.allSettled(this.#finishing.values());
  }

  /**
   * Revokes all keys of a workspace. Verification rejects all of them from the first transaction on. Once this resolves,
   * each of them is revoked.
   *
   * @param idempotencyKey a second call with the same value revokes no keys that were created after the first
   * @throws {RequestError} session_required for a key
   */
  async revokeAll(
    caller: Caller,
    reason: RevokeReason | null,
    idempotencyKey: string | null,
  ): Promise<RevokedWorkspace> {
    if (caller.actor.kind === 'key') throw sessionRequired();
    const { workspaceId } = caller;
    // Different from the tokens of other calls, so that their Idempotency-Key never prevents a revoke.
    const token = idempotencyKey === null ? null : hashToken(`revoke all\n${idempotencyKey}`);
    const begin = await this.#options.propagation.commit((db) => this.#begin(db, caller, reason, token));
    const { marked, revoked, unrevoked } = begin.value;
    await this.finish(workspaceId);
    // The call that has revoked these keys may still be waiting for other nodes.
    const { effect } = marked
      ? begin
      : await this.#options.propagation.commit((db) => republish(db, workspaceId));
    return {
      revoked: marked ? unrevoked : 0,
      alreadyRevoked: revoked + (marked ? 0 : unrevoked),
      revocation: { effective: true, ...effect },
    };
  }

  async #begin(
    db: Kysely<Tables>,
    caller: Caller,
    reason: RevokeReason | null,
    token: Uint8Array | null,
  ): Promise<CommandResult<Begun>> {
    const { actor, workspaceId } = caller;
    const at = this.#options.now();
    // Each creation takes the same lock: its key is either counted here, or the creation waits until all are revoked.
    await lockRow(db, 'workspace', workspaceId);
    const isRepeated = token !== null && (await findIdempotent(db, workspaceId, token, at)) !== undefined;
    if (token !== null && !isRepeated) await insertToken(db, workspaceId, token, null, at);
    const counts = await countKeys(db, workspaceId);
    if (isRepeated || counts.unrevoked === 0 || (await readRevokeMark(db, workspaceId)) !== undefined) {
      return { value: { ...counts, marked: false } };
    }
    await writeRevokeMark(db, workspaceId, { at, by: actor.id, reason });
    return {
      value: { ...counts, marked: true },
      changed: { kind: 'workspace', id: workspaceId },
      events: [await workspaceKeysRevoked(db, caller, { at, reason }, counts.unrevoked)],
    };
  }

  /** Resolves when no key of a marked workspace is left to revoke; at once if the workspace is not marked. */
  async finish(workspaceId: string): Promise<void> {
    // A run in progress may have committed its last transaction before the workspace was marked again.
    await this.#finishing.get(workspaceId)?.catch(() => undefined);
    const running = this.#finishing.get(workspaceId);
    if (running !== undefined) return running;
    const finishing = this.#finish(workspaceId).finally(() => this.#finishing.delete(workspaceId));
    this.#finishing.set(workspaceId, finishing);
    return finishing;
  }

  async #finish(workspaceId: string): Promise<void> {
    for (;;) {
      if (this.#stopping) throw interrupted();
      const { value: ids } = await this.#options.propagation.commit(async (db) => {
        const value = await revokeBatch(db, workspaceId);
        if (value === undefined) return { value };
        // Also after the last batch: an append of its hashes to the journal may have failed, and is repeated then.
        return { value, changed: { kind: 'revoked', ids: value } };
      });
      if (ids === undefined || ids.length === 0) return;
      await turn();
    }
  }

  async #resume(): Promise<void> {
    const { db, now } = this.#options;
    for (const id of await workspacesMarkedBefore(db, now() - interruptedAfter)) await this.finish(id);
  }
}

async function republish(db: Kysely<Tables>, workspaceId: string): Promise<CommandResult<undefined>> {
  const id = await findRevoked(db, workspaceId);
  if (id === undefined) return { value: undefined };
  return { value: undefined, changed: { kind: 'revoked', ids: [id], republish: id } };
}

function sessionRequired(): RequestError {
  return new RequestError({
    code: 'session_required',
    message:
      'A key cannot revoke all keys of its workspace. Sign in to the dashboard, or list the ids to revoke.',
  });
}

function interrupted(): RequestError {
  return new RequestError({
    code: 'storage_unavailable',
    message:
      'All keys are rejected, but the server stopped before it had stored all revocations. It continues after the next start.',
  });
}
