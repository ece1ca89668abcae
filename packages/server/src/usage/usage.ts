import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { WriteProgress, writeWithRetries } from '../database/final-write.ts';
import type { Database } from '../database/open.ts';
import { createDueTask } from '../timers/due-task.ts';
import { PeriodicTask, type Schedule, scheduleTimer } from '../timers/periodic-task.ts';
import { backgroundTasks } from './background.ts';
import { postgresClients, sqliteClients } from './client-stores.ts';
import { type ClientStore, ClientWriter } from './client-writer.ts';
import type { UsageSource } from './counting-table.ts';
import { hoursPerDay } from './day-rows.ts';
import { EndedUses } from './ended-uses.ts';
import { FlushAge } from './flush-age.ts';
import { HistoryReader } from './history-reader.ts';
import { hourOf } from './hours.ts';
import { Pacer } from './pacer.ts';
import type { SecretCounts } from './pending-uses.ts';
import { PostgresUsageStore } from './postgres-store.ts';
import { UsageReader } from './reader.ts';
import { UsageRecorder, type UsageSink } from './recorder.ts';
import { lastUseAt, SqliteUsageStore } from './store.ts';

interface Options {
  database: Database;
  /** The counts of verification. */
  source: UsageSource;
  log: Logger;
  /** For how many days counts are kept, including the current one. */
  retentionDays: number;
  /** Times each periodic flush. */
  flushAge?: FlushAge;
  /** Epoch ms. */
  now?: () => number;
  schedule?: Schedule;
}

/** ms between the writes of a node with PostgreSQL. A crash loses what comes between. */
const writeInterval = 4000;

/**
 * ms between the saves with SQLite, from the end of one to the start of the next. A save takes little more than a
 * second if many keys are in use, and a crash can lose the interval and two saves: less than 5 s.
 */
const saveInterval = 2000;

/**
 * ms between flushes with SQLite. A flush is also due when so many counts are not written, because a read of the usage of
 * a workspace looks at all of them in one turn.
 */
const flushInterval = 60_000;
const maxPending = 200_000;

/**
 * How many last uses are written before a list that depends on them: about 3 ms with SQLite. If more keys were used
 * since the last flush, the order of the others is that of the flush.
 */
const maxLastUses = 500;

/** For how long a stopping process writes clients, in ms; a transaction that has begun may take as long again. */
const lastClientsMs = 2000;

/** The recording of usage: its parts, and its periodic tasks. */
export interface UsageRecording {
  recorder: UsageRecorder;
  reader: UsageReader;
  history: HistoryReader;
  /** Number of failed writes. */
  failures: () => number;
  /** Reads what a crashed process has logged. Must be called before the first request. */
  recover(): Promise<void>;
  /**
   * Writes the newest last uses of a workspace, so that the database can sort by them. They are written again with the
   * counts, which also reports an error.
   */
  writeLastUses(workspaceId: string): Promise<void>;
  /** Starts to write and to prune. Call it when the server listens, so that neither delays the start. */
  start(): void;
  /**
   * Writes the rest. Call it when the last request has ended and the database is still open.
   *
   * @param progressed called whenever a part of it is written
   * @returns whether everything is written; otherwise the log contains the reason
   */
  stop(progressed?: () => void): Promise<boolean>;
}

export function recordUsage({
  database,
  source,
  log,
  retentionDays,
  flushAge = new FlushAge(),
  now = Date.now,
  schedule: start = scheduleTimer,
}: Options): UsageRecording {
  const store =
    database.kind === 'sqlite' ? new SqliteUsageStore(database) : new PostgresUsageStore(database);
  const usageLog = store instanceof SqliteUsageStore ? store.log : undefined;
  const pacer = new Pacer();
  const parts = new WriteProgress();
  const ended = new EndedUses(database.kysely, now);
  const { clients } = source.pending;
  const clientWriter = new ClientWriter(clients, clientStoreOf(database), pacer);
  const sink = sinkOf(store, ended, () => parts.written());
  const recorder = new UsageRecorder(sink, source, pacer, usageLog);
  const failed = (error: unknown) =>
    log.error({ err: error }, 'usage could not be written; keeping it in memory and retrying');
  const oldest = () => hourOf(now()) + 1 - retentionDays * hoursPerDay;
  const background = backgroundTasks({
    prune: () => pacer.step(() => store.prune(oldest())),
    ended,
    clients,
    clientWriter,
    log,
    schedule: start,
  });
  const writing = writingTasks(recorder, {
    hasLog: usageLog !== undefined,
    flushAge,
    failed,
    schedule: start,
  });
  return {
    recorder,
    reader: new UsageReader(store, recorder),
    history: new HistoryReader(store, source),
    failures: () => writing.reduce((sum, { failures }) => sum + failures, 0),
    recover: async () => {
      const unreadable = (await usageLog?.recover(source.pending)) ?? [];
      if (unreadable.length > 0)
        log.error({ rows: unreadable }, 'rows of usage_log cannot be read; their usage is lost');
    },
    writeLastUses: async (workspaceId) => {
      const counts = newestUses(recorder.ofWorkspace(workspaceId)).slice(0, maxLastUses);
      if (counts.length > 0) await store.writeLastUses(counts).catch(() => undefined);
    },
    start: () => {
      for (const task of writing) task.start();
      background.start();
    },
    stop: async (progressed) => {
      parts.onPart = progressed;
      pacer.hurry();
      await Promise.all([background, ...writing].map((task) => task.stop()));
      try {
        await writeWithRetries(
          () => recorder.flush(),
          () => parts.last,
        );
        await writeLastClients(clientWriter).catch((error) =>
          log.error({ err: error }, 'the last addresses and programs could not be recorded'),
        );
        // What cannot be written now is written with the next use.
        await ended.write().catch(() => undefined);
        return true;
      } catch (error) {
        log.error({ err: error }, 'the last usage could not be written');
        return false;
      }
    },
  };
}

/** The tasks that write counts while the process runs. */
function writingTasks(
  recorder: UsageRecorder,
  {
    hasLog,
    flushAge,
    ...options
  }: { hasLog: boolean; flushAge: FlushAge; failed: (error: unknown) => void; schedule: Schedule },
): PeriodicTask[] {
  const flush = () => flushAge.during(() => recorder.flush());
  if (!hasLog) return [new PeriodicTask(flush, { interval: writeInterval, ...options })];
  const flushWhenDue = createDueTask(flushInterval, () => recorder.unwritten >= maxPending, flush);
  return [() => recorder.save(), flushWhenDue].map(
    (job) => new PeriodicTask(job, { interval: saveInterval, ...options }),
  );
}

/** Counts are more important, and a stop that takes too long reports that they are lost. */
async function writeLastClients(writer: ClientWriter): Promise<void> {
  const begun = performance.now();
  const late = new AbortController();
  const writing = writer.write(() => performance.now() - begun > lastClientsMs);
  // It may still reject after it has lost the race.
  writing.catch(() => undefined);
  try {
    await Promise.race([writing, wait(2 * lastClientsMs, undefined, { signal: late.signal })]);
  } finally {
    late.abort();
  }
}

function clientStoreOf(database: Database): ClientStore {
  return database.kind === 'sqlite' ? sqliteClients(database) : postgresClients(database);
}

/** @param written called after each write */
function sinkOf(store: UsageSink, ended: EndedUses, written: () => void): UsageSink {
  return {
    write: async (counts, durable, committed) => {
      await store.write(counts, durable, (count) => {
        committed(count);
        ended.add(counts.slice(0, count));
      });
      written();
    },
  };
}

/** The counts with a last use that must be written, newest first. */
function newestUses(counts: readonly SecretCounts[]): SecretCounts[] {
  const at = (one: SecretCounts) => lastUseAt(one) ?? 0;
  return counts
    .filter(({ changesLastUse, lastMs }) => changesLastUse && lastMs >= 0)
    .sort((a, b) => at(b) - at(a));
}
