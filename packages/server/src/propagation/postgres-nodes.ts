import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { PostgresDatabase } from '../database/postgres.ts';
import type { RevocationJournal } from '../journal/journal.ts';
import { later, Repeating } from '../timers/repeating.ts';
import type { Clock } from './clock.ts';
import type { Change } from './link.ts';
import { manyNodesPropagation } from './many-nodes.ts';
import { termsOf, VerifierNode } from './node.ts';
import { listNodes, processName } from './node-list.ts';
import { PostgresLink, parseAck } from './postgres-link.ts';
import { PostgresNotices } from './postgres-notices.ts';
import type { VerifierCache } from './propagation.ts';

/** ms. Also stored in the database: a node with a different value does not start. */
const leaseMs = 2000;

/** ms between two deletions of old changes. */
const pruneInterval = 60_000;

const clock: Clock = { monotonic: () => performance.now(), wall: Date.now };

/** This process as a node of a cluster, with the real database, clocks and timers. */
export function createNode(
  database: PostgresDatabase,
  memory: VerifierCache,
  journal: RevocationJournal,
  log: Logger,
) {
  const link = new PostgresLink(database.connection);
  const node = new VerifierNode({
    name: processName,
    link,
    clock,
    later,
    leaseMs,
    newId: randomUUID,
    random: Math.random,
    cache: {
      forget: (change) => {
        forget(memory, change);
        journal.keysChanged(change.hashes);
      },
      empty: () => {
        memory.empty();
        journal.changesMissed();
      },
    },
    failed: (error) => log.error({ err: error }, 'the heartbeat to the database failed; retrying'),
    recovered: () => log.info('the database responds again'),
  });
  const notices = new PostgresNotices({
    connection: database.connection,
    heard: { soku_change: () => node.wake(), soku_ack: (payload) => node.acked(parseAck(payload)) },
    later,
  });
  const pruning = new Repeating(() => link.prune(), {
    interval: pruneInterval,
    failed: (error) => log.warn({ err: error }, 'could not delete old changes; retrying'),
    later,
  });
  const { marginMs } = termsOf({ leaseMs });
  return {
    node,
    propagation: manyNodesPropagation(database, node, clock, journal),
    exchanges: link.counts,
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
      await link.close();
    },
  };
}

function forget(memory: VerifierCache, change: Change): void {
  if (change.kind === 'workspace') memory.forgetWorkspace(change.subject);
  else memory.forget(change.hashes);
}

export type Nodes = ReturnType<typeof createNode>;
