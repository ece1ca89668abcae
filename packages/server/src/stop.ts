import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { exitCodes } from './startup-error.ts';

/**
 * ms for which a node goes on serving when it is asked to stop, with /readyz at 503: load balancers need it to look
 * elsewhere. Alone there is no elsewhere, so it stops at once.
 */
const drainTime = 2000;

/**
 * ms for what needs PostgreSQL at the end. Without bounds an unreachable one would hold the process for minutes; but as
 * long as it takes what is written, `stalled` begins anew, because with many keys in use there is a lot to write.
 */
const usualPatience = { stalled: 6000, write: 60_000, leave: 6000, close: 1000 };

/** What has to be brought to an end, in the order in which it is. */
export interface Ending {
  /** Whether other nodes serve meanwhile. */
  hasOthers: () => boolean;
  /** From now on /readyz is 503, and each answer closes its connection. */
  drain: () => void;
  /** Takes no new requests; resolves when the open ones have ended. @param since monotonic ms, when it was asked for */
  closeServers: (since: number) => Promise<unknown>;
  /**
   * Writes what is only in memory; resolves with whether it is written.
   *
   * @param progressed to be called whenever a part of it is
   */
  write: (progressed: () => void) => Promise<boolean>;
  /** Lets nobody wait for this node any more. */
  leave: () => Promise<unknown>;
  closeDatabase: () => Promise<unknown>;
  /** Whether the database is one that may not answer: a file always does, and may take its time. */
  isRemote: boolean;
  log: Logger;
}

/** Ends a process so that nothing that was begun is lost. @returns the exit code */
export async function endProcess(signal: string, ending: Ending, patience = usualPatience): Promise<number> {
  const { log, isRemote } = ending;
  const since = performance.now();
  ending.drain();
  if (ending.hasOthers()) {
    log.info(`${signal}: not ready any more; serving on for ${drainTime / 1000} s until nobody asks`);
    await wait(drainTime);
  }
  log.info(`${signal}: finishing the open requests`);
  await ending.closeServers(since);
  const [leave, close] = isRemote ? [patience.leave, patience.close] : [];
  const [lost] = await Promise.all([write(ending, patience), inTime(ending.leave(), leave)]);
  await inTime(ending.closeDatabase(), close);
  if (lost !== undefined) {
    log.error(
      `The uses of keys in the last seconds are lost, and with them what passed of limits, as far as not written yet: ${lost}`,
    );
  }
  log.info('Stopped');
  return lost === undefined ? 0 : exitCodes.unavailable;
}

/** @returns why not everything is written; undefined when it is */
async function write(ending: Ending, { stalled, write: whole }: typeof usualPatience) {
  const { promise: givenUp, resolve: giveUp } = Promise.withResolvers<string>();
  const stalling = setTimeout(giveUp, stalled, `the database has taken nothing for ${stalled / 1000} s`);
  const over = setTimeout(giveUp, whole, `it was more than the database takes in ${whole / 1000} s`);
  const writing = ending.write(() => stalling.refresh());
  const result = writing.then((written) => (written ? undefined : 'they could not be written'));
  // The loser of the race may still fail.
  result.catch(() => undefined);
  try {
    return await (ending.isRemote ? Promise.race([result, givenUp]) : result);
  } finally {
    for (const timer of [stalling, over]) clearTimeout(timer);
  }
}

/**
 * What a promise resolves with; undefined when it takes more than so many ms. Its timer keeps the process alive, which
 * broken sockets do not.
 */
async function inTime<T>(promise: Promise<T>, ms: number | undefined): Promise<T | undefined> {
  if (ms === undefined) return promise;
  // The loser of the race may still fail.
  promise.catch(() => undefined);
  const over = new AbortController();
  try {
    return await Promise.race([promise, wait(ms, undefined, { signal: over.signal })]);
  } finally {
    over.abort();
  }
}
