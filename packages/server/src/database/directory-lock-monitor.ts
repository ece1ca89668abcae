import { type BigIntStats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { errorCodeOf } from '../error-code.ts';
import { StorageUnavailable } from './unavailable.ts';

/** How long one check of the files proves that no other process uses them, in ms. */
const evidenceLife = 1000;

/** Time between two checks, in ms. */
const interval = 250;

/** Number of checks that become due during an unfinished one before the disk counts as unresponsive: one second. */
const maxOverdue = 4;

/**
 * How long a process waits before it uses a database that another process may still be using, in ms. It is longer
 * than the evidence of that process can last.
 */
export const takeoverDelayMs = 1500;

/** Reports to verifications and writes whether this process is still the only user of the data directory. */
export interface LockMonitor {
  /**
   * Whether there is valid evidence. It only compares clocks, so each verification can call it in the turn in which it
   * decides.
   */
  holds(): boolean;
  /**
   * Checks the files now.
   *
   * @throws {StorageUnavailable} when they are not the ones that this process opened, or the disk does not respond
   */
  checkNow(): void;
  /**
   * @param listener called when there is evidence again after a gap, before `holds` returns true.
   *   Another process may have used the directory in between, if its files were moved away and back.
   */
  onGap(listener: () => void): void;
}

interface Reports {
  /** Called once when the evidence is lost, with the reason. */
  lost: (failure: StorageUnavailable) => void;
  /** Called when the files are back, or the disk responds again. */
  regained: () => void;
}

interface Options {
  /** Monotonic ms. */
  now?: () => number;
  /** Whether the operating system's lock is held. */
  isLocked: () => boolean;
  /** Used by background checks; a test can simulate an unresponsive disk. */
  lookUp?: (path: string) => Promise<BigIntStats>;
}

/**
 * Evidence that this process is the only user of its data directory: the lock file and each database file are still the
 * files that it opened. If these files are removed or moved while the process runs, another process can take its own
 * lock.
 *
 * Evidence expires on its own, because a stopped process (SIGSTOP, a paused container) runs no timers: when it
 * continues, its first verification finds the evidence expired and checks the files again.
 */
export class DirectoryLockMonitor implements LockMonitor {
  readonly #now: () => number;
  readonly #isLocked: () => boolean;
  readonly #lookUp: (path: string) => Promise<BigIntStats>;
  /** Identity by path. */
  readonly #files = new Map<string, string>();
  /** End of the evidence, monotonic ms. */
  #until = Number.NEGATIVE_INFINITY;
  /** When the newest check began. Results of older ones are ignored. */
  #lookedAt = Number.NEGATIVE_INFINITY;
  #isLooking = false;
  #overdue = 0;
  #timer: NodeJS.Timeout | undefined;
  #reports: Reports | undefined;
  #gap: () => void = () => undefined;
  #failure: StorageUnavailable | undefined;

  constructor({ now = () => performance.now(), isLocked, lookUp = statLater }: Options) {
    this.#now = now;
    this.#isLocked = isLocked;
    this.#lookUp = lookUp;
  }

  /** Adds existing files that must not be replaced from now on. */
  add(...paths: string[]): void {
    for (const path of paths) this.#files.set(path, fileIdentity(statSync(path, { bigint: true })));
  }

  holds(): boolean {
    return this.#now() < this.#until;
  }

  checkNow(): void {
    // A check would wait for the same disk and block the whole process.
    if (this.#overdue >= maxOverdue) throw silent();
    const looked = this.#now();
    const files = Array.from(this.#files, ([path, identity]) => compare(path, identity, () => statNow(path)));
    this.#settle(looked, files);
    if (this.#failure !== undefined) throw this.#failure;
  }

  onGap(listener: () => void): void {
    this.#gap = listener;
  }

  /** Starts background checks. */
  start(reports: Reports): void {
    this.#reports = reports;
    this.#timer = setInterval(() => void this.#look(), interval).unref();
  }

  /** Ends the checks. Call it before the lock is released. */
  stop(): void {
    clearInterval(this.#timer);
    // A check that is still running would find the lock released.
    this.#lookedAt = Number.POSITIVE_INFINITY;
    this.#until = Number.NEGATIVE_INFINITY;
  }

  /** Never blocks the process: an unresponsive disk delays only this check. */
  async #look(): Promise<void> {
    if (this.#isLooking) {
      this.#overdue += 1;
      if (this.#overdue === maxOverdue) this.#note(silent());
      return;
    }
    this.#isLooking = true;
    const looked = this.#now();
    const files = await Promise.all(Array.from(this.#files, (file) => this.#compareLater(file)));
    this.#isLooking = false;
    this.#overdue = 0;
    if (looked >= this.#lookedAt) this.#settle(looked, files);
  }

  async #compareLater([path, identity]: [string, string]): Promise<string | undefined> {
    try {
      const found = await this.#lookUp(path);
      return compare(path, identity, () => found);
    } catch (error) {
      return compare(path, identity, () => {
        throw error;
      });
    }
  }

  /** @param files the problem of each file, or undefined */
  #settle(looked: number, files: (string | undefined)[]): void {
    this.#lookedAt = looked;
    const problem = this.#isLocked() ? files.find((file) => file !== undefined) : 'the lock was released';
    if (problem !== undefined) {
      this.#note(lost(problem));
      return;
    }
    if (looked >= this.#until) this.#gap();
    this.#until = looked + evidenceLife;
    if (this.#failure !== undefined) this.#reports?.regained();
    this.#failure = undefined;
  }

  #note(failure: StorageUnavailable): void {
    this.#until = Number.NEGATIVE_INFINITY;
    const isNew = this.#failure === undefined;
    this.#failure = failure;
    if (isNew) this.#reports?.lost(failure);
  }
}

/** Identifies a file. It is unique while the file is open, because its inode number cannot be reused until then. */
export function fileIdentity({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

function statNow(path: string): BigIntStats {
  return statSync(path, { bigint: true });
}

function statLater(path: string): Promise<BigIntStats> {
  return stat(path, { bigint: true });
}

/** @returns the problem; undefined when there is none */
function compare(path: string, identity: string, look: () => BigIntStats): string | undefined {
  const name = basename(path);
  try {
    return fileIdentity(look()) === identity ? undefined : `the file ${name} was replaced`;
  } catch (error) {
    const code = errorCodeOf(error);
    return code === 'ENOENT'
      ? `the file ${name} was removed`
      : `the file ${name} cannot be reached (${code})`;
  }
}

function lost(problem: string): StorageUnavailable {
  return new StorageUnavailable(
    `The data directory is no longer exclusively used by this process: ${problem}`,
    {
      problem: 'lost',
      code: 'lost',
      rolledBack: true,
    },
  );
}

function silent(): StorageUnavailable {
  const message = 'The disk of the data directory has not responded for a second';
  return new StorageUnavailable(message, { problem: 'silent', code: 'silent', rolledBack: true });
}
