import { AsyncLocalStorage } from 'node:async_hooks';

/** The database did not respond or aborted the operation. A retry may succeed. */
export class DatabaseUnavailable extends Error {
  override readonly name: string = 'DatabaseUnavailable';
  /** SQLSTATE or system error code; '' when there is none. */
  readonly code: string;
  /** Whether the transaction was certainly rolled back. If not, it may be committed with only the response lost. */
  readonly rolledBack: boolean;

  constructor(cause: unknown, { code, rolledBack }: { code: string; rolledBack: boolean }) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.code = code;
    this.rolledBack = rolledBack;
  }
}

/**
 * Problems of the storage below the database:
 * - full: no space is left
 * - readOnly: it accepts no writes
 * - failed: an I/O error
 * - lost: the files are not the ones that this process opened
 * - silent: the disk does not respond
 */
export type StorageProblem = 'full' | 'readOnly' | 'failed' | 'lost' | 'silent';

/** The storage below the database is unusable. Unlike an unreachable database, this needs the operator. */
export class StorageUnavailable extends DatabaseUnavailable {
  override readonly name = 'StorageUnavailable';
  readonly problem: StorageProblem;

  constructor(
    cause: unknown,
    { problem, ...rest }: { problem: StorageProblem; code: string; rolledBack: boolean },
  ) {
    super(cause, rest);
    this.problem = problem;
  }
}

const work = new AsyncLocalStorage<{ failure?: DatabaseUnavailable }>();

/** Call this with each failure, so that `rethrowUnavailable` detects those that other code swallows. */
export function recordUnavailable(failure: DatabaseUnavailable): void {
  const seen = work.getStore();
  if (seen !== undefined) seen.failure ??= failure;
}

/**
 * Runs code that may swallow a database failure and continue as if there were no data, such as a library that then
 * treats a person as signed out.
 *
 * @throws {DatabaseUnavailable} when a failure occurred, even if the code swallowed it
 */
export async function rethrowUnavailable<T>(run: () => Promise<T>): Promise<T> {
  const seen: { failure?: DatabaseUnavailable } = {};
  try {
    const result = await work.run(seen, run);
    if (seen.failure === undefined) return result;
  } catch (error) {
    if (seen.failure === undefined) throw error;
  }
  throw seen.failure;
}
