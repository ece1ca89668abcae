import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Logger } from 'pino';
import type { PostgresDatabase } from '../database/postgres.ts';
import { serverInstanceSql } from '../database/postgres-pool.ts';
import type { Tables } from '../database/schema.ts';
import { throttle } from '../http/logging.ts';
import type { RevocationJournal } from '../journal/journal.ts';
import { PeriodicTask, scheduleTimer } from '../timers/periodic-task.ts';
import type { Clock } from './clock.ts';
import { clusterPropagation } from './cluster-propagation.ts';
import type { ChangeEntry } from './cluster-store.ts';
import type { InstanceHandlers } from './database-instance.ts';
import { leaseTimingOf } from './lease.ts';
import { VerifierNode } from './node.ts';
import { listNodes, processName } from './node-list.ts';
import { PostgresClusterStore, parseAck } from './postgres-cluster-store.ts';
import { PostgresListener } from './postgres-listener.ts';
import type { VerifierCache } from './propagation.ts';

/** ms. Also stored in the database: a node with a different value does not start. */
const leaseMs = 2000;

/** Minimum time in ms between two log lines about a replaced database, or about a failed comparison. */
const failureInterval = 10_000;

/** ms between two deletions of old changes. */
const pruneInterval = 60_000;

const clock: Clock = { monotonic: () => performance.now(), wall: Date.now };

interface Parts {
  cache: VerifierCache;
  journal: Pick<RevocationJournal, 'append' | 'keysChanged' | 'changesMissed' | 'reapply'>;
  /** ms since the last flush of usage that succeeded; undefined if the last one failed. */
  usageAge: () => number | undefined;
  log: Logger;
}

/** This process as a node of a cluster, with the real database, clocks and timers. */
export function createNodeRuntime(database: PostgresDatabase, { cache, journal, usageAge, log }: Parts) {
  const losses = { count: 0 };
  // Two instances behind one address, such as an old primary that was not fenced, may respond in turn.
  const logReplaced = throttle<void>(failureInterval, () =>
    log.warn(
      'PostgreSQL was restarted or replaced; no key is accepted until it was compared with the revocation journal',
    ),
  );
  const store = new PostgresClusterStore(database.connection);
  const node = new VerifierNode({
    name: processName,
    store,
    clock,
    schedule: scheduleTimer,
    leaseMs,
    newId: randomUUID,
    random: Math.random,
    cache: {
      evict: (change) => {
        evict(cache, change);
        journal.keysChanged(change.hashes);
      },
      clear: () => {
        cache.clear();
        journal.changesMissed();
      },
    },
    usageAge,
    failed: (error) => log.error({ err: error }, 'the heartbeat to the database failed; retrying'),
    recovered: () => log.info('the database responds again'),
    instanceHandlers: {
      ...watchInstance(journal, log, losses),
      replaced: () => {
        logReplaced();
        // Connections to a former primary may still be open.
        for (const one of [database.pool, database.verificationPool, store, notices]) one.renew();
      },
    },
  });
  const notices = new PostgresListener({
    connection: database.connection,
    handlers: {
      soku_change: () => node.wake(),
      soku_ack: (payload) => node.onAcknowledgment(parseAck(payload)),
    },
    schedule: scheduleTimer,
  });
  const pruning = new PeriodicTask(() => store.prune(), {
    interval: pruneInterval,
    failed: (error) => log.warn({ err: error }, 'could not delete old changes; retrying'),
    schedule: scheduleTimer,
  });
  const { marginMs } = leaseTimingOf({ leaseMs });
  return {
    node,
    propagation: clusterPropagation(database, node, clock, journal),
    heartbeats: store.heartbeatCounts,
    losses,
    list: () => listNodes(node.status(), leaseMs + marginMs),
    /** @throws when the database does not respond, or has a different lease length */
    start: async () => {
      await node.start();
      await notices.start();
      pruning.start();
    },
    /** After this resolves, no other node waits for this one. */
    stop: async () => {
      // Drop the lease first, because the other nodes would wait for it.
      await node.stop();
      await Promise.all([pruning.stop(), notices.stop()]);
      await store.close();
    },
  };
}

/** Compares another instance of PostgreSQL with the journal, and reports what it has lost. */
function watchInstance(
  journal: Pick<RevocationJournal, 'reapply'>,
  log: Logger,
  losses: { count: number },
): Pick<InstanceHandlers, 'reapply' | 'lostChanges'> {
  const failed = throttle(failureInterval, (error: unknown, suppressed) =>
    log.error({ err: error, suppressed }, 'PostgreSQL could not be compared with the revocation journal'),
  );
  return {
    reapply: async () => {
      try {
        return await journal.reapply(instanceOf);
      } catch (error) {
        failed(error);
        throw error;
      }
    },
    lostChanges: () => {
      losses.count += 1;
      log.error(
        'PostgreSQL has lost confirmed changes: it was restored, or a standby without them took over. The revocations in the revocation journal were applied again; repeat the revokes of the last minutes and check other changes (docs/operations/failures.md)',
      );
    },
  };
}

async function instanceOf(db: Kysely<Tables>): Promise<string> {
  const { rows } = await sql<{ instance: string }>`SELECT ${sql.raw(serverInstanceSql)} AS instance`.execute(
    db,
  );
  return rows[0]?.instance ?? '';
}

function evict(cache: VerifierCache, change: ChangeEntry): void {
  if (change.kind === 'workspace') cache.evictWorkspace(change.subject);
  else cache.evict(change.hashes);
}

export type NodeRuntime = ReturnType<typeof createNodeRuntime>;
