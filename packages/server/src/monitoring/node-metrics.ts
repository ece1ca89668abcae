import type { NodeEntry } from '@soku/contract/nodes';
import { Counter, Gauge, type Registry } from 'prom-client';
import { type WaitMetrics, waitBucketBounds } from '../propagation/wait-metrics.ts';
import { formatHistogram } from './histogram.ts';
import { setMetricValues } from './set-values.ts';

/** What a node reports about itself and the others. */
export interface NodeSource {
  figures: WaitMetrics;
  /** Heartbeats since the start of the process. */
  heartbeats: { sent: number; failed: number };
  /** Times that the database lacked changes that the node had applied. */
  losses: { count: number };
  list: () => NodeEntry[];
}

/**
 * The metrics of a node. Node names are labels: they are not client input, and WaitMetrics limits their number.
 */
export function addNodeMetrics(registry: Registry, { figures, heartbeats, losses, list }: NodeSource): void {
  const registers = [registry];
  const own = () => list().find(({ self }) => self);
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });

  gauge(
    'soku_lease_remaining_seconds',
    'Time for which this node may verify from its cache; 0: not at all',
    () => (own()?.lease?.remainingMs ?? 0) / 1000,
  );
  gauge('soku_feed_lag', 'Known changes that this node has not applied', () => own()?.lag ?? 0);
  counter(
    'soku_exchanges_total',
    'Heartbeats to the database, each of which may renew the lease',
    () => heartbeats.sent,
  );
  counter('soku_exchanges_failed_total', 'Failed heartbeats', () => heartbeats.failed);
  counter(
    'soku_nodes_fenced_total',
    'Silent nodes that this node has removed, so that no change waits for them',
    () => figures.fenced,
  );
  counter(
    'soku_database_losses_total',
    'Times that PostgreSQL had lost confirmed changes: it was restored, or a standby without them took over',
    () => losses.count,
  );
  addListMetrics(registry, list);
  addWaitMetrics(registry, figures);
}

function addListMetrics(registry: Registry, list: () => NodeEntry[]): void {
  new Gauge({
    name: 'soku_nodes',
    help: 'Nodes that this one knows, by state: ready, or silent for longer than a lease',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const counts = { ready: 0, silent: 0 };
      for (const { state } of list()) counts[state] += 1;
      setMetricValues(this, 'state', counts);
    },
  });
}

function addWaitMetrics(registry: Registry, { byName }: WaitMetrics): void {
  const registers = [registry];
  const labelNames = ['node'];
  new Counter({
    name: 'soku_change_waits_total',
    help: 'Number of times that a change made here waited for the node',
    labelNames,
    registers,
    collect() {
      setMetricValues(
        this,
        'node',
        Object.fromEntries([...byName].map(([name, { count }]) => [name, count])),
      );
    },
  });
  new Counter({
    name: 'soku_change_waits_seconds_total',
    help: 'Total time that changes made here waited for the node',
    labelNames,
    registers,
    collect() {
      setMetricValues(
        this,
        'node',
        Object.fromEntries([...byName].map(([name, { sumMs }]) => [name, sumMs / 1000])),
      );
    },
  });
}

/** The histogram of how long changes, such as a revoke, waited for other nodes. */
export function formatChangeWaits({ all, buckets }: WaitMetrics): string {
  return formatHistogram({
    name: 'soku_change_wait_seconds',
    help: 'Time from the commit of a change, such as a revoke, until it was in effect on every node',
    ends: waitBucketBounds,
    series: [{ counts: buckets, sumMs: all.sumMs }],
  });
}
