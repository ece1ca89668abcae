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
import type { Config } from './config.ts';
import { createKeys } from './create-keys.ts';
import { createVerification } from './create-verification.ts';
import type { Database } from './database/open.ts';
import { appendEvents } from './events/events.ts';
import { acceptRequest } from './gateway/accepted.ts';
import type { Gateway } from './gateway/gateway.ts';
import { removeBasePaths } from './http/base-path.ts';
import { createClientAddress, createTrustedPeerCheck } from './http/client-address.ts';
import { addDraining } from './http/draining.ts';
import { createEventLog } from './http/event-log.ts';
import { registerOpenApi, registerOpenApiRoute } from './http/openapi.ts';
import { allowedOrigins } from './http/origin.ts';
import { registerPages } from './http/pages.ts';
import { RequestCounts } from './http/request-counts.ts';
import { registerSecurityHeaders } from './http/security-headers.ts';
import { createServer, serveAheadOfFramework } from './http/server.ts';
import { hygieneRoutes } from './hygiene/routes.ts';
import { importRoutes } from './import/routes.ts';
import type { RevocationJournal } from './journal/journal.ts';
import { CallerAuthenticator } from './keys/callers.ts';
import { rejectKeysInUrls } from './keys/check-url.ts';
import { keyRoutes } from './keys/routes.ts';
import { createSessionCheck } from './keys/session-check.ts';
import { createLeaks } from './leaks/create.ts';
import { leakRoutes } from './leaks/routes.ts';
import { createMail } from './mail/mail.ts';
import { notificationRoutes } from './mail/routes.ts';
import { healthRoutes } from './monitoring/health.ts';
import { nodeRoutes } from './monitoring/node-routes.ts';
import { createOperatorCheck } from './monitoring/operators.ts';
import { metricsRoutes } from './monitoring/routes.ts';
import { singleNodeList } from './propagation/node-list.ts';
import { scopeRoutes } from './scopes/routes.ts';
import { usageRoutes } from './usage/routes.ts';
import { FastPath } from './verification/fast-path.ts';
import { ForwardAuth } from './verification/forward-auth.ts';
import type { GrantingVerifier } from './verification/granting-verifier.ts';
import { PostVerify } from './verification/post-verify.ts';
import { verificationRoutes } from './verification/routes.ts';
import { version } from './version.ts';
import { webhookRoutes } from './webhooks/routes.ts';
import { createWebhooks } from './webhooks/webhooks.ts';
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
  const { publicUrl, keyPrefixes, testKeyPrefix, verifyScope, keyRateLimit } = config;
  const addressOf = createClientAddress(config.trustProxy, config.trustProxyHeader);
  const usesSession = createSessionCheck(publicUrl, keyPrefixes);
  const requests = new RequestCounts();
  const acceptCookies = (headers: IncomingHttpHeaders) => renameLegacyCookie(headers, publicUrl);
  const app = createServer({ log, publicUrl, addressOf, usesSession, acceptCookies, requests });

  const accountParts = createAccounts(database, { secret, publicUrl, log });
  const { accounts, passwords, failedSignIns } = accountParts;
  app.addHook('onClose', () => passwords.close());
  const { verifier, identifier, limitGuess, propagation, nodes, limits, usage, secretTasks, sources } =
    await createVerification(config, database, journal, log);
  const workspaces = new WorkspaceService(database.kysely, { keyRateLimit, propagation, now: Date.now });
  const keyParts = createKeys(config, database, propagation, usage, secret, log);
  const { keys } = keyParts;
  const { worker, ...webhookParts } = createWebhooks(config, database, propagation, secret, log);
  const mail = createMail(config, database, secret, log);
  const tasks = together(secretTasks, keyParts.revoker, keyParts.policyTasks, worker, mail);

  const draining = addDraining(app);
  const isStopping = () => draining.begun;
  serveVerificationAhead(app, { verifier, addressOf, isClosing: isStopping, requests, log, config });

  const gateway =
    config.gateway &&
    (await createGateway({
      ...config.gateway,
      isOwnCookie: isDashboardCookie,
      verify: (request, fields, { needs, denied }) =>
        verifier.verifyFields(fields, request, { address: addressOf(request), needs, denied }, acceptRequest),
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
  await app.register(notificationRoutes, { logEvent, mail, ...ofAccounts });
  const callers = new CallerAuthenticator(verifier, accounts, addressOf, usesSession);
  // The API reference lists the calls in this order.
  await app.register(keyRoutes, { logEvent, ...keyParts, callers, identifier, addressOf });
  await app.register(workspaceRoutes, { logEvent, workspaces, callers });
  await app.register(usageRoutes, { ...keyParts, callers });
  await app.register(importRoutes, { logEvent, ...keyParts, callers });
  await app.register(hygieneRoutes, { ...keyParts, callers });
  await app.register(scopeRoutes, { logEvent, ...keyParts, callers });
  await app.register(webhookRoutes, { logEvent, ...webhookParts, callers });
  await app.register(auditRoutes, { audit: new AuditService(database.kysely), callers });
  const leakParts = createLeaks(config.githubKeysUrl, database.kysely, propagation, log);
  await app.register(leakRoutes, { logEvent, ...leakParts, limitAddress: limitGuess, addressOf });
  await app.register(verificationRoutes, { verifier, keys, accounts, callers, addressOf, verifyScope });
  const nodeStatus = nodes && (() => nodes.node.status());
  await app.register(healthRoutes, { database, nodeStatus, isStopping });
  const checkOperator = createOperatorCheck({ token: config.metricsToken, publicUrl, addressOf });
  await app.register(metricsRoutes, { sources: { ...sources, requests, mails: mail }, checkOperator });
  await app.register(nodeRoutes, { list: nodes?.list ?? singleNodeList, checkOperator, accounts, addressOf });
  registerOpenApiRoute(app);
  await registerPages(app, publicUrl);
  return { app, accounts, failedSignIns, keys, nodes, limits, usage, tasks, gateway, draining };
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

/** Handles verification requests ahead of the framework, and before both removes the base path from each request. */
function serveVerificationAhead(
  app: FastifyInstance,
  {
    verifier,
    config: { publicUrl, verifyScope },
    ...fastPathOptions
  }: { verifier: GrantingVerifier; config: Config } & ConstructorParameters<typeof FastPath>[0],
): void {
  const { addressOf } = fastPathOptions;
  const fastPath = new FastPath(fastPathOptions);
  const forwardAuth = new ForwardAuth({ verifier, addressOf, fastPath });
  const postVerify = new PostVerify({ verifier, addressOf, fastPath, verifyScope });
  serveAheadOfFramework(app, (request, response, passOn) => {
    return forwardAuth.handle(request, response) || postVerify.handle(request, response, passOn);
  });
  removeBasePaths(app.server, publicUrl);
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

/** Loads the gateway on demand: most deployments have none, and its code costs memory. */
async function createGateway(options: ConstructorParameters<typeof Gateway>[0]): Promise<Gateway> {
  const { Gateway } = await import('./gateway/gateway.ts');
  return new Gateway(options);
}
