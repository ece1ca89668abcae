import { AsyncLocalStorage } from 'node:async_hooks';

/** The database did not answer, or broke off what it was asked to do; a moment later it may do it. */
export class DatabaseUnavailable extends Error {
  override readonly name: string = 'DatabaseUnavailable';
  /** SQLSTATE, or what the system calls the failure; '' when nobody gave it a code. */
  readonly code: string;
  /** Whether it is certain that the transaction left nothing. When not, its commit may only have lost its answer. */
  readonly rolledBack: boolean;

  constructor(cause: unknown, { code, rolledBack }: { code: string; rolledBack: boolean }) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.code = code;
    this.rolledBack = rolledBack;
  }
}

/**
 * What is wrong with the storage below the database:
 * - full: no space is left
 * - readOnly: it takes no writes
 * - failed: an input or output error
 * - lost: the files are not the ones that this process opened
 * - silent: the disk does not respond
 */
export type StorageProblem = 'full' | 'readOnly' | 'failed' | 'lost' | 'silent';

/** The storage below the database cannot be used. It needs the operator, unlike a database that is only away. */
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

/** To be called with each failure, so that `orUnavailable` knows of those that nobody hands on. */
export function noteUnavailable(failure: DatabaseUnavailable): void {
  const seen = work.getStore();
  if (seen !== undefined) seen.failure ??= failure;
}

/**
 * Runs code that may keep a failure of the database to itself, and go on as if it had found nothing: a library that
 * then calls a person signed out.
 *
 * @throws {DatabaseUnavailable} when there was one, whatever the code made of it
 */
export async function orUnavailable<T>(run: () => Promise<T>): Promise<T> {
  const seen: { failure?: DatabaseUnavailable } = {};
  try {
    const result = await work.run(seen, run);
    if (seen.failure === undefined) return result;
  } catch (error) {
    if (seen.failure === undefined) throw error;
  }
  throw seen.failure;
}
