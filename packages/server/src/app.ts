import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { AccountService } from './accounts/account-service.ts';
import { createAuth } from './accounts/auth.ts';
import { DeviceCookies } from './accounts/device-cookie.ts';
import { FailedSignIns } from './accounts/failed-sign-ins.ts';
import { PasswordGate } from './accounts/password-gate.ts';
import { PasswordHasher } from './accounts/password-hasher.ts';
import { accountRoutes } from './accounts/routes.ts';
import { isDashboardCookie, renameLegacyCookie, sessionCookieName } from './accounts/session-cookie.ts';
import { auditRoutes } from './audit/routes.ts';
import { AuditService } from './audit/service.ts';
import { readLastBackups } from './backup/last-backup.ts';
import type { Config } from './config.ts';
import { createKeys } from './create-keys.ts';
import type { Database } from './database/open.ts';
import type { PostgresDatabase } from './database/postgres.ts';
import { appendEvents } from './events/events.ts';
import { accept } from './gateway/accepted.ts';
import type { Gateway } from './gateway/gateway.ts';
import {
  createClientAddress,
  createHiddenClientCheck,
  createTrustedPeerCheck,
} from './http/client-address.ts';
import { addDraining } from './http/draining.ts';
import { createEventLog } from './http/event-log.ts';
import { throttle } from './http/logging.ts';
import { registerOpenApi, registerOpenApiRoute } from './http/openapi.ts';
import { allowedOrigins } from './http/origin.ts';
import { registerPages } from './http/pages.ts';
import { RequestCounts } from './http/request-counts.ts';
import { registerSecurityHeaders } from './http/security-headers.ts';
import { createServer, serveAheadOfFramework } from './http/server.ts';
import { importRoutes } from './import/routes.ts';
import type { RevocationJournal } from './journal/journal.ts';
import { CallerAuthenticator } from './keys/callers.ts';
import { rejectKeysInUrls } from './keys/check-url.ts';
import { keyRoutes } from './keys/routes.ts';
import { createSecretTasks } from './keys/secret-tasks.ts';
import { createSessionCheck } from './keys/session-check.ts';
import { AddressLimits } from './limits/address-limits.ts';
import { createLimits } from './limits/limits.ts';
import { healthRoutes } from './monitoring/health.ts';
import { nodeRoutes } from './monitoring/node-routes.ts';
import { createOperatorCheck } from './monitoring/operators.ts';
import type { MetricSources, PoolSizes } from './monitoring/registry.ts';
import { metricsRoutes } from './monitoring/routes.ts';
import { singleNodeList } from './propagation/node-list.ts';
import type { NodeRuntime } from './propagation/node-runtime.ts';
import type { Propagation } from './propagation/propagation.ts';
import { singleProcessPropagation } from './propagation/single-process.ts';
import { scopeRoutes } from './scopes/routes.ts';
import { usageRoutes } from './usage/routes.ts';
import { recordUsage } from './usage/usage.ts';
import { FastPath } from './verification/fast-path.ts';
import { ForwardAuth } from './verification/forward-auth.ts';
import { GrantingVerifier } from './verification/granting-verifier.ts';
import { KeyFormats } from './verification/key-formats.ts';
import { KeyIdentifier } from './verification/key-identifier.ts';
import { PostVerify } from './verification/post-verify.ts';
import { verificationRoutes } from './verification/routes.ts';
import { SecretCache } from './verification/secret-cache.ts';
import type { CacheLease, SecretSource } from './verification/secret-source.ts';
import { sqliteSecrets } from './verification/sqlite-secrets.ts';
import { VerificationCounts } from './verification/verification-counts.ts';
import { Verifier } from './verification/verifier.ts';
import { version } from './version.ts';
import { workspaceRoutes } from './workspaces/routes.ts';
import { WorkspaceService } from './workspaces/service.ts';

/** Assembles the features. This is the only file that knows all of them. */
export async function createApp(
  config: Config,
  database: Database,
  journal: RevocationJournal,
  secret: string,
  log: Logger,
) {
  const { publicUrl, keyPrefixes, testKeyPrefix, verifyScope } = config;
  const addressOf = createClientAddress(config.trustProxy, config.trustProxyHeader);
  const usesSession = createSessionCheck(publicUrl, keyPrefixes);
  const requests = new RequestCounts();
  const acceptCookies = (headers: IncomingHttpHeaders) => renameLegacyCookie(headers, publicUrl);
  const app = createServer({ log, publicUrl, addressOf, usesSession, acceptCookies, requests });

  const accountParts = createAccounts(database, { secret, publicUrl, log });
  const { accounts, passwords, failedSignIns } = accountParts;
  app.addHook('onClose', () => passwords.close());
  const { verifier, identifier, propagation, nodes, limits, usage, secretTasks, sources } =
    await createVerification(config, database, journal, log);
  const workspaces = new WorkspaceService(database.kysely, {
    keyRateLimit: config.keyRateLimit,
    propagation,
    now: Date.now,
  });
  const keyParts = createKeys(config, database, propagation, usage, secret, log);
  const { keys } = keyParts;
  const keyTasks = together(secretTasks, keyParts.revoker);

  const draining = addDraining(app);
  const isStopping = () => draining.begun;
  serveVerificationAhead(app, { verifier, addressOf, isClosing: isStopping, requests, log, verifyScope });

  const gateway =
    config.gateway &&
    (await createGateway({
      ...config.gateway,
      isOwnCookie: isDashboardCookie,
      verify: (request, fields, { needs, denied }) =>
        verifier.verifyFields(fields, request, { address: addressOf(request), needs, denied }, accept),
      trusts: createTrustedPeerCheck(config.trustProxy),
      addressHeader: config.trustProxyHeader,
      isStopping,
      requests,
      log,
    }));

  rejectKeysInUrls(app, keyPrefixes);
  await registerSecurityHeaders(app, publicUrl.startsWith('https:'));
  const sessionCookie = sessionCookieName(publicUrl);
  await registerOpenApi(app, { publicUrl, sessionCookie, keyPrefix: keyPrefixes[0], version });
  const logEvent = createEventLog(addressOf);
  const ofAccounts = { ...accountParts, publicUrl, keyPrefixes, testKeyPrefix, addressOf };
  await app.register(accountRoutes, { logEvent, ...ofAccounts });
  const callers = new CallerAuthenticator(verifier, accounts, addressOf, usesSession);
  await app.register(scopeRoutes, { logEvent, ...keyParts, callers });
  await app.register(importRoutes, { logEvent, ...keyParts, callers });
  await app.register(keyRoutes, { logEvent, ...keyParts, callers, identifier, addressOf });
  await app.register(workspaceRoutes, { logEvent, workspaces, callers });
  await app.register(auditRoutes, { audit: new AuditService(database.kysely), callers });
  await app.register(usageRoutes, { ...keyParts, callers });
  await app.register(verificationRoutes, { verifier, keys, accounts, callers, addressOf, verifyScope });
  const nodeStatus = nodes && (() => nodes.node.status());
  await app.register(healthRoutes, { database, nodeStatus, isStopping });
  const checkOperator = createOperatorCheck({ token: config.metricsToken, publicUrl, addressOf });
  await app.register(metricsRoutes, { sources: { ...sources, requests }, checkOperator });
  await app.register(nodeRoutes, { list: nodes?.list ?? singleNodeList, checkOperator, accounts, addressOf });
  registerOpenApiRoute(app);
  await registerPages(app);
  return { app, accounts, failedSignIns, keys, nodes, limits, usage, keyTasks, gateway, draining };
}

interface BackgroundTask {
  start(): void;
  stop(): Promise<unknown>;
}

/** Combines tasks that start and stop at the same time. */
function together(...tasks: BackgroundTask[]): BackgroundTask {
  return {
    start: () => {
      for (const task of tasks) task.start();
    },
    stop: () => Promise.all(tasks.map((task) => task.stop())),
  };
}

/** Handles verification requests ahead of the framework. */
function serveVerificationAhead(
  app: FastifyInstance,
  {
    verifier,
    verifyScope,
    ...fastPathOptions
  }: { verifier: GrantingVerifier; verifyScope: Config['verifyScope'] } & ConstructorParameters<
    typeof FastPath
  >[0],
): void {
  const { addressOf } = fastPathOptions;
  const fastPath = new FastPath(fastPathOptions);
  const forwardAuth = new ForwardAuth({ verifier, addressOf, fastPath });
  const postVerify = new PostVerify({ verifier, addressOf, fastPath, verifyScope });
  serveAheadOfFramework(app, (request, response, passOn) => {
    return forwardAuth.handle(request, response) || postVerify.handle(request, response, passOn);
  });
}

/** Creates the accounts, the auth library behind them, and the protection of their passwords. */
function createAccounts(
  database: Database,
  { secret, publicUrl, log }: { secret: string; publicUrl: string; log: Logger },
) {
  const passwords = new PasswordHasher();
  const trustedOrigins = allowedOrigins(publicUrl);
  const auth = createAuth({ database, secret, publicUrl, trustedOrigins, passwords, log });
  return {
    auth,
    accounts: new AccountService(auth, database.kysely, passwords),
    passwords,
    gate: new PasswordGate(),
    failedSignIns: new FailedSignIns({
      append: (events) => database.kysely.transaction().execute((db) => appendEvents(db, events)),
      failed: (error) => log.error({ err: error }, 'could not write failed sign-ins; retrying'),
    }),
    devices: new DeviceCookies(publicUrl, secret),
  };
}

/** Creates the verifier, the propagation of changes to it, and its limits, usage and counters. */
export async function createVerification(
  config: Config,
  database: Database,
  journal: RevocationJournal,
  log: Logger,
) {
  const cache = new SecretCache({ valid: config.cacheKeys, rejected: config.cacheRefusedKeys });
  const { propagation, nodes, secrets, lease } = await createSource(config, database, cache, journal, log);
  const secretTasks = createSecretTasks(propagation, log);
  const usage = recordUsage({ database, source: cache, log });
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
  const sources: Omit<MetricSources, 'requests'> = {
    failures: () => ({ usage: usage.failures(), limits: limits.failures(), journal: journal.failures }),
    lastBackups: () => readLastBackups(config.dataDir, database.kind),
    database: database.kind,
    verifications: counts,
    cached: () => cache.sizes,
    windows: () => ({ key: cache.windows.size, address: addressLimits.size }),
    unwrittenUses: () => usage.recorder.unsaved,
    nodes: nodes && { figures: nodes.node.waitMetrics, heartbeats: nodes.heartbeats, list: nodes.list },
    connections: database.kind === 'sqlite' ? undefined : () => connectionsOf(database),
  };
  const identifier = new KeyIdentifier({
    ...shared,
    formats: new KeyFormats(config.keyPrefixes, config.importedKeyPrefixes),
  });
  return { verifier, identifier, propagation, nodes, limits, usage, secretTasks, sources };
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

/** Creates the source that the verifier reads, and the lease of its cache. */
async function createSource(
  config: Config,
  database: Database,
  cache: SecretCache,
  journal: RevocationJournal,
  log: Logger,
): Promise<Source> {
  if (database.kind === 'sqlite') {
    database.hold.onGap(() => cache.clear());
    return {
      secrets: sqliteSecrets(database.reader, database.hold, config.keyRateLimit),
      lease: database.hold,
      propagation: singleProcessPropagation(database, cache, journal),
      nodes: undefined,
    };
  }
  const { createNodeRuntime } = await import('./propagation/node-runtime.ts');
  const { PostgresSecrets } = await import('./verification/postgres-secrets.ts');
  const nodes = createNodeRuntime(database, cache, journal, log);
  return {
    secrets: new PostgresSecrets(database.verificationPool, nodes.node, config.keyRateLimit),
    lease: nodes.node,
    propagation: nodes.propagation,
    nodes,
  };
}

/** Loads the gateway on demand: most deployments have none, and its code costs memory. */
async function createGateway(options: ConstructorParameters<typeof Gateway>[0]): Promise<Gateway> {
  const { Gateway } = await import('./gateway/gateway.ts');
  return new Gateway(options);
}
