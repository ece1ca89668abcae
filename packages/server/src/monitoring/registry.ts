import { errorCodeNames } from '@soku/contract/error-codes';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { type RequestCounts, requestBucketBounds } from '../http/request-counts.ts';
import { type VerificationCounts, verificationBucketBounds } from '../verification/verification-counts.ts';
import { version } from '../version.ts';
import { formatHistogram } from './histogram.ts';
import { addMailMetrics, type MailSource } from './mail-metrics.ts';
import { addNodeMetrics, formatChangeWaits, type NodeSource } from './node-metrics.ts';
import { setMetricValues } from './set-values.ts';

/** The values that the metrics read at each scrape. */
export interface MetricSources {
  verifications: VerificationCounts;
  requests: RequestCounts;
  mails: MailSource;
  /** Number of failed background writes. */
  failures: () => { usage: number; limits: number; journal: number };
  /** When the backup command last succeeded and last failed, in epoch ms; 0: never, as far as is known. */
  lastBackups: () => Promise<{ made: number; failed: number }>;
  database: 'sqlite' | 'postgres';
  /** Number of cached keys by kind. */
  cached: () => { valid: number; rejected: number };
  /** Number of keys and addresses with a rate-limit window. */
  windows: () => { key: number; address: number };
  /** Number of secrets with usage counts that a crash would lose. */
  unwrittenUses: () => number;
  /** Only with PostgreSQL. */
  nodes: NodeSource | undefined;
  /** Connection pools of PostgreSQL. */
  connections: (() => PoolSizes) | undefined;
}

/** For each pool: all connections, idle connections, and statements that wait for a connection. */
export type PoolSizes = Record<'usual' | 'verification', Record<'total' | 'idle' | 'waiting', number>>;

/** The result whose first occurrence is an alert. Prometheus does not see an increase in a value that was absent. */
const alwaysReported = 'verification_unavailable';

export interface Metrics {
  contentType: string;
  /** All metrics with their current values. */
  text(): Promise<string>;
}

/**
 * The metrics of this process, in the Prometheus format. No label contains client input: labels hold Soku's own codes
 * and kinds, so their number is bounded and no key can be among them.
 */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const { verifications, nodes } = sources;

  new Counter({
    name: 'soku_verifications_total',
    help: 'Verifications by result: valid, or the error code',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      this.inc({ result: 'valid' }, verifications.valid);
      for (const code of errorCodeNames) {
        const first = code === alwaysReported ? 0 : undefined;
        const count = verifications.rejected.get(code) ?? first;
        if (count !== undefined) this.inc({ result: code }, count);
      }
    },
  });
  new Counter({
    name: 'soku_cache_lookups_total',
    help: 'Key lookups: found in the cache (good, refused), or read from the database',
    labelNames: ['found'],
    registers,
    collect() {
      // Renaming the values of a label would break the dashboards and alerts that read them.
      const { valid: good, rejected: refused, database } = verifications.lookups;
      setMetricValues(this, 'found', { good, refused, database });
    },
  });
  new Counter({
    name: 'soku_limit_refusals_total',
    help: 'Requests rejected with 429, by policy',
    labelNames: ['policy'],
    registers,
    collect() {
      setMetricValues(this, 'policy', verifications.limited);
    },
  });
  new Gauge({
    name: 'soku_cached_keys',
    help: 'Cached keys',
    labelNames: ['kind'],
    registers,
    collect() {
      const { valid: good, rejected: refused } = sources.cached();
      setMetricValues(this, 'kind', { good, refused });
    },
  });
  new Gauge({
    name: 'soku_limit_windows',
    help: 'Keys and addresses with a rate-limit window in memory',
    labelNames: ['policy'],
    registers,
    collect() {
      setMetricValues(this, 'policy', sources.windows());
    },
  });
  addDatabaseMetrics(registry, sources);
  addRequestMetrics(registry, sources);
  addBackupMetrics(registry, sources);
  addMailMetrics(registry, sources.mails);
  return {
    contentType: registry.contentType,
    text: async () =>
      [
        withoutUnmeasured(await registry.metrics()),
        requestDurationsText(sources),
        durationsText(verifications),
        ...(nodes === undefined ? [] : [formatChangeWaits(nodes.figures)]),
      ].join('\n'),
  };
}

function addDatabaseMetrics(registry: Registry, { nodes, connections, unwrittenUses }: MetricSources): void {
  new Gauge({
    name: 'soku_usage_unwritten',
    help: 'Keys with usage counts that a crash would lose; they are saved every few seconds',
    registers: [registry],
    collect() {
      this.set(unwrittenUses());
    },
  });
  if (nodes !== undefined) addNodeMetrics(registry, nodes);
  if (connections === undefined) return;
  new Gauge({
    name: 'soku_database_connections',
    help: 'Connections to PostgreSQL: total and idle; waiting: statements that wait for a connection',
    labelNames: ['pool', 'state'],
    registers: [registry],
    collect() {
      for (const [pool, sizes] of Object.entries(connections())) {
        for (const [state, count] of Object.entries(sizes)) this.set({ pool, state }, count);
      }
    },
  });
}

function durationsText({ durations, durationSum }: VerificationCounts): string {
  return formatHistogram({
    name: 'soku_verification_duration_seconds',
    help: 'Time from the header of a request to the decision about its key, for one request in sixteen',
    ends: verificationBucketBounds,
    series: [{ counts: durations, sumMs: durationSum }],
  });
}

function addRequestMetrics(registry: Registry, { requests, failures, database }: MetricSources): void {
  const registers = [registry];
  new Counter({
    name: 'soku_http_requests_total',
    help: 'Requests by route, method and status; the route is none if no route matches',
    labelNames: ['route', 'method', 'status'],
    registers,
    collect() {
      this.reset();
      for (const { route, method, status, count } of requests.statuses()) {
        this.inc({ route, method, status }, count);
      }
    },
  });
  new Counter({
    name: 'soku_write_failures_total',
    help: 'Failed writes by kind: client requests, usage, limits, or the revocation journal',
    labelNames: ['kind'],
    registers,
    collect() {
      setMetricValues(this, 'kind', { request: requests.failedWrites, ...failures() });
    },
  });
  new Gauge({
    name: 'soku_build_info',
    help: 'Always 1; the labels describe the process',
    labelNames: ['version', 'node', 'database'],
    registers,
  }).set({ version, node: process.versions.node, database }, 1);
}

/** Adds timestamps rather than ages, because an alert compares them with the current time in Prometheus. */
function addBackupMetrics(registry: Registry, { lastBackups }: MetricSources): void {
  const registers = [registry];
  new Gauge({
    name: 'soku_last_backup_timestamp_seconds',
    help: 'When the backup command last succeeded with this data directory; 0: never',
    registers,
    async collect() {
      this.set((await lastBackups()).made / 1000);
    },
  });
  new Gauge({
    name: 'soku_last_failed_backup_timestamp_seconds',
    help: 'When the backup command last failed with this data directory; 0: never',
    registers,
    async collect() {
      this.set((await lastBackups()).failed / 1000);
    },
  });
}

function requestDurationsText({ requests }: MetricSources): string {
  return formatHistogram({
    name: 'soku_http_request_duration_seconds',
    help: 'Time until the response to a request, without GET /v1/verify (soku_verification_duration_seconds)',
    ends: requestBucketBounds,
    series: Array.from(requests.durations(), ({ route, method, counts, sumMs }) => {
      return { labels: { route, method }, counts, sumMs };
    }),
  });
}

/**
 * Removes values of the library's event-loop metrics that are NaN or the maximum because nothing was measured yet. A
 * dashboard would include them in sums.
 */
function withoutUnmeasured(text: string): string {
  return text.replace(/^\S+ (?:nan|9223372036854\S*)\n/gim, '');
}
