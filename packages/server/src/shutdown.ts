import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { exitCodes } from './startup-error.ts';

/**
 * ms for which a stopping node keeps serving while /readyz returns 503, so that load balancers switch to other nodes.
 * Without other nodes it stops immediately.
 */
const drainTime = 2000;

/**
 * Timeouts in ms of the last steps that need PostgreSQL; an unreachable one would otherwise hold the process for
 * minutes. `stalled` restarts with each completed write, because with many keys in use there is a lot to write.
 */
const defaultTimeouts = { stalled: 6000, write: 60_000, leave: 6000, close: 1000 };

/** The steps of a shutdown, in order. */
export interface ShutdownSteps {
  /** Whether other nodes are ready to serve. */
  hasOthers: () => boolean;
  /** Makes /readyz return 503, and each response close its connection. */
  drain: () => void;
  /** Stops accepting requests; resolves when the open ones have ended. @param since monotonic ms of the stop signal */
  closeServers: (since: number) => Promise<unknown>;
  /**
   * Writes the data that is only in memory. Resolves to whether all of it was written.
   *
   * @param progressed called after each part
   */
  write: (progressed: () => void) => Promise<boolean>;
  /** Deregisters this node, so that the others no longer wait for it. */
  leave: () => Promise<unknown>;
  closeDatabase: () => Promise<unknown>;
  /** Whether the database may be unresponsive. A file always responds, even if slowly, so it has no timeouts. */
  isRemote: boolean;
  log: Logger;
}

/** Shuts the process down without losing work that has begun. @returns the exit code */
export async function shutDown(
  signal: string,
  ending: ShutdownSteps,
  timeouts = defaultTimeouts,
): Promise<number> {
  const { log, isRemote } = ending;
  const since = performance.now();
  ending.drain();
  if (ending.hasOthers()) {
    log.info(
      `${signal}: no longer ready; serving for another ${drainTime / 1000} s while load balancers switch`,
    );
    await wait(drainTime);
  }
  log.info(`${signal}: finishing the open requests`);
  await ending.closeServers(since);
  const [leave, close] = isRemote ? [timeouts.leave, timeouts.close] : [];
  const [lost] = await Promise.all([write(ending, timeouts), inTime(ending.leave(), leave)]);
  await inTime(ending.closeDatabase(), close);
  if (lost !== undefined) {
    log.error(`Usage and rate-limit counts of the last seconds are lost: ${lost}`);
  }
  log.info('Stopped');
  // This is the last line, unless there is a bug: work that was given up may still fail while the process ends.
  if (log.isLevelEnabled('fatal')) log.level = 'fatal';
  return lost === undefined ? 0 : exitCodes.unavailable;
}

/** @returns why some data was not written; undefined when all was */
async function write(ending: ShutdownSteps, { stalled, write: whole }: typeof defaultTimeouts) {
  const { promise: givenUp, resolve: giveUp } = Promise.withResolvers<string>();
  const stalling = setTimeout(giveUp, stalled, `the database accepted no write for ${stalled / 1000} s`);
  const over = setTimeout(giveUp, whole, `the database needed more than ${whole / 1000} s to write them`);
  const writing = ending.write(() => stalling.refresh());
  const result = writing.then((written) => (written ? undefined : 'writing them failed'));
  // The result may still reject after it has lost the race.
  result.catch(() => undefined);
  try {
    return await (ending.isRemote ? Promise.race([result, givenUp]) : result);
  } finally {
    for (const timer of [stalling, over]) clearTimeout(timer);
  }
}

/**
 * Resolves with the value of a promise, or with undefined after `ms`. Its timer keeps the process alive, which broken
 * sockets do not.
 */
async function inTime<T>(promise: Promise<T>, ms: number | undefined): Promise<T | undefined> {
  if (ms === undefined) return promise;
  // The promise may still reject after it has lost the race.
  promise.catch(() => undefined);
  const over = new AbortController();
  try {
    return await Promise.race([promise, wait(ms, undefined, { signal: over.signal })]);
  } finally {
    over.abort();
  }
}
