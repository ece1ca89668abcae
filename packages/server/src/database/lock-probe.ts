import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isBusy } from './sqlite-errors.ts';

/** ms. A process starts in less than a tenth of a second, but the machine may be busy. */
const timeoutMs = 20_000;

/** Run by another process, because a process does not exclude itself (fcntl(2)). 5 is SQLITE_BUSY. */
const attempt = `
  const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync(process.argv[1], { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    console.log('locked');
  } catch (error) {
    console.log((error.errcode & 0xff) === 5 ? 'refused' : error.message);
  }`;

/** Takes the lock as the data directory does. It is never committed. */
export function lockExclusively(file: string): DatabaseSync {
  const lock = new DatabaseSync(file, { timeout: 0 });
  try {
    // SQLite opens an unwritable file for reading only and then locks nothing, so the transaction writes. Without a
    // journal on disk it leaves nothing behind.
    lock.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE; PRAGMA user_version = 1');
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}

/**
 * Whether the file system refuses every lock, which SQLite reports as if another process held it. The file is a new one
 * that no other process knows.
 */
export function refusesEveryLock(directory: string): boolean {
  const file = join(directory, `lock.probe-${process.pid}`);
  try {
    lockExclusively(file).close();
    return false;
  } catch (error) {
    return isBusy(error);
  } finally {
    rmSync(file, { force: true });
  }
}

/** Whether a lock keeps out other processes, or why this could not be checked. */
type Exclusion = 'works' | 'fails' | { unchecked: string };

/** Lets another process try to take a lock that this process holds. */
export function probeExclusion(file: string): Exclusion {
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { stdout, error } = spawnSync(process.execPath, ['--no-warnings', '-e', attempt, file], {
    // What an operator adds to the server, such as instrumentation, may take long or print something.
    env: { ...process.env, NODE_OPTIONS: '' },
    encoding: 'utf8',
    timeout: timeoutMs,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const outcome = stdout?.trim() ?? '';
  if (outcome === 'refused') return 'works';
  return outcome === 'locked' ? 'fails' : { unchecked: outcome || (error?.message ?? 'the process ended') };
}
