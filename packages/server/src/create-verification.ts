import type { Logger } from 'pino';
import { readLastBackups } from './backup/last-backup.ts';
import type { Config } from './config.ts';
import type { Database } from './database/open.ts';
import type { PostgresDatabase } from './database/postgres.ts';
import { createHiddenClientCheck } from './http/client-address.ts';
import { throttle } from './http/logging.ts';
import type { RevocationJournal } from './journal/journal.ts';
import { createSecretTasks } from './keys/secret-tasks.ts';
import { AddressLimits } from './limits/address-limits.ts';
import { createLimits } from './limits/limits.ts';
import type { MetricSources, PoolSizes } from './monitoring/registry.ts';
import type { NodeRuntime } from './propagation/node-runtime.ts';
import type { Propagation } from './propagation/propagation.ts';
import { singleProcessPropagation } from './propagation/single-process.ts';
import { FlushAge } from './usage/flush-age.ts';
import { recordUsage } from './usage/usage.ts';
import { GrantingVerifier } from './verification/granting-verifier.ts';
import { KeyFormats } from './verification/key-formats.ts';
import { KeyIdentifier } from './verification/key-identifier.ts';
import { limitAddress } from './verification/limit-address.ts';
import { SecretCache } from './verification/secret-cache.ts';
import type { CacheLease, SecretSource } from './verification/secret-source.ts';
import { sqliteSecrets } from './verification/sqlite-secrets.ts';
import { VerificationCounts } from './verification/verification-counts.ts';
import { Verifier } from './verification/verifier.ts';

/** Creates the verifier, the propagation of changes to it, and its limits, usage and counters. */
export async function createVerification(
  config: Config,
  database: Database,
  journal: RevocationJournal,
  log: Logger,
) {
  const cache = new SecretCache({ valid: config.cacheKeys, rejected: config.cacheRefusedKeys });
  const flushAge = new FlushAge();
  const parts = { cache, flushAge, journal, log };
  const { propagation, nodes, secrets, lease } = await createSource(config, database, parts);
  const secretTasks = createSecretTasks(propagation, log);
  const usage = recordUsage({
    database,
    source: cache,
    log,
    retentionDays: config.usageRetentionDays,
    flushAge,
  });
  const counts = new VerificationCounts();
  const limits = createLimits({
    database,
    log,
    windows: cache.windows,
    member: nodes?.node,
  });
  const addressLimits = new AddressLimits(config.addressRateLimit);
  const failed = throttle(10_000, (error: unknown, suppressed) =>
    log.error({ err: error, suppressed }, 'could not verify a key'),
  );
  const shared = { secrets, prefixes: config.keyPrefixes, addressLimits, counts, failed };
  const decider = new Verifier({
    ...shared,
    lease,
    cache,
    environment: config.verifyEnvironment,
    importedPrefixes: config.importedKeyPrefixes,
    grants: limits.grants,
    isClientHidden: createHiddenClientCheck(config.trustProxy, config.trustProxyHeader),
    firstUsed: secretTasks.firstUsed,
  });
  const verifier = new GrantingVerifier(decider, limits.grants);
  const sources: Omit<MetricSources, 'requests' | 'mails'> = {
    failures: () => ({ usage: usage.failures(), limits: limits.failures(), journal: journal.failures }),
    lastBackups: () => readLastBackups(config.dataDir, database.kind),
    database: database.kind,
    verifications: counts,
    cached: () => cache.sizes,
    windows: () => ({ key: cache.windows.size, address: addressLimits.size }),
    unwrittenUses: () => usage.recorder.unsaved,
    nodes: nodes && {
      figures: nodes.node.waitMetrics,
      heartbeats: nodes.heartbeats,
      losses: nodes.losses,
      list: nodes.list,
    },
    connections: database.kind === 'sqlite' ? undefined : () => connectionsOf(database),
  };
  const identifier = new KeyIdentifier({
    ...shared,
    formats: new KeyFormats(config.keyPrefixes, config.importedKeyPrefixes),
  });
  const limitGuess = (address: string, now: number) => limitAddress(shared, address, now);
  return { verifier, identifier, limitGuess, propagation, nodes, limits, usage, secretTasks, sources };
}

function connectionsOf({ pool, verificationPool }: PostgresDatabase): PoolSizes {
  const sizes = (of: PostgresDatabase['pool']) => {
    return { total: of.totalCount, idle: of.idleCount, waiting: of.waitingCount };
  };
  return { usual: sizes(pool), verification: sizes(verificationPool) };
}

interface Source {
  secrets: SecretSource;
  lease: CacheLease;
  propagation: Propagation;
  /** Absent with SQLite, which only one process uses. */
  nodes: NodeRuntime | undefined;
}

interface SourceParts {
  cache: SecretCache;
  flushAge: FlushAge;
  journal: RevocationJournal;
  log: Logger;
}

/** Creates the source that the verifier reads, and the lease of its cache. */
async function createSource(
  config: Config,
  database: Database,
  { cache, flushAge, journal, log }: SourceParts,
): Promise<Source> {
  if (database.kind === 'sqlite') {
    database.lockMonitor.onGap(() => cache.clear());
    return {
      secrets: sqliteSecrets(database.reader, database.lockMonitor, config.keyRateLimit),
      lease: database.lockMonitor,
      propagation: singleProcessPropagation(database, cache, journal),
      nodes: undefined,
    };
  }
  const { createNodeRuntime } = await import('./propagation/node-runtime.ts');
  const { PostgresSecrets } = await import('./verification/postgres-secrets.ts');
  const nodes = createNodeRuntime(database, { cache, journal, usageAge: () => flushAge.ms, log });
  return {
    secrets: new PostgresSecrets(database.verificationPool, nodes.node, config.keyRateLimit),
    lease: nodes.node,
    propagation: nodes.propagation,
    nodes,
  };
}
