import type { Logger } from 'pino';
import { AccountService } from './accounts/account-service.ts';
import { createAuth, sessionCookieNames } from './accounts/auth.ts';
import { accountRoutes } from './accounts/routes.ts';
import type { Config } from './config.ts';
import type { Database } from './database/open.ts';
import type { Gateway } from './gateway/gateway.ts';
import { clientAddress, trustedPeer } from './http/client-address.ts';
import { healthRoutes } from './http/health.ts';
import { openApiRoute, registerOpenApi } from './http/openapi.ts';
import { ownOrigins } from './http/origin.ts';
import { registerPages } from './http/pages.ts';
import { registerSecurityHeaders } from './http/security-headers.ts';
import { createServer, serveAhead } from './http/server.ts';
import { Callers } from './keys/callers.ts';
import { keyRoutes } from './keys/routes.ts';
import { KeyService } from './keys/service.ts';
import { KeyStore } from './keys/store.ts';
import { AddressLimits } from './limits/address-limits.ts';
import { keepLimits } from './limits/limits.ts';
import type { Sources } from './metrics/registry.ts';
import { metricsRoutes } from './metrics/routes.ts';
import { VerificationCounts } from './metrics/verification-counts.ts';
import { singleProcessRevocation } from './revocation/single-process.ts';
import { usageRoutes } from './usage/routes.ts';
import { UsageService } from './usage/service.ts';
import { recordUsage } from './usage/usage.ts';
import { fastLane } from './verification/fast-lane.ts';
import { verificationRoutes } from './verification/routes.ts';
import { Verifier } from './verification/verifier.ts';
import { version } from './version.ts';
import { workspaceRoutes } from './workspaces/routes.ts';
import { WorkspaceService } from './workspaces/service.ts';

/** Puts the features together. This is the one file that knows all of them. */
export async function createApp(config: Config, database: Database, secret: string, log: Logger) {
  const { publicUrl, keyPrefixes } = config;
  const app = createServer({ log, publicUrl, trustProxy: config.trustProxy });

  const auth = createAuth({ database, secret, publicUrl, trustedOrigins: ownOrigins(publicUrl), log });
  const accounts = new AccountService(auth, database.kysely);
  const { verifier, limits, usage, sources } = createVerification(config, database, log);
  const workspaces = new WorkspaceService(database, {
    keyRateLimit: config.keyRateLimit,
    changed: (workspaceId) => verifier.forgetWorkspace(workspaceId),
  });
  const revocation = singleProcessRevocation(database, (hashes) => verifier.forget(hashes));
  const keys = new KeyService(new KeyStore(database.kysely), revocation, {
    prefixes: keyPrefixes,
    maxActiveKeys: config.maxActiveKeys,
    keyRateLimit: config.keyRateLimit,
    lastUsedAt: (keyIds) => usage.reader.lastUsedAt(keyIds),
    now: Date.now,
  });

  const addressOf = clientAddress(config.trustProxy);
  const trusts = trustedPeer(config.trustProxy);
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  serveAhead(
    app,
    fastLane(verifier, addressOf, () => closing),
  );

  const gateway =
    config.gateway &&
    (await createGateway({
      ...config.gateway,
      ownCookies: sessionCookieNames,
      verify: (request) => verifier.verify(request, { address: addressOf(request) }),
      trusts,
      log,
    }));

  await registerSecurityHeaders(app, publicUrl.startsWith('https:'));
  await registerOpenApi(app, { publicUrl, keyPrefix: keyPrefixes[0], version });
  await app.register(accountRoutes, { auth, accounts, publicUrl, keyPrefix: keyPrefixes[0] });
  const callers = new Callers(verifier, accounts, addressOf);
  await app.register(keyRoutes, { keys, callers });
  await app.register(workspaceRoutes, { workspaces, callers });
  await app.register(usageRoutes, { usage: new UsageService(keys, usage.reader, Date.now), callers });
  await app.register(verificationRoutes, { verifier, keys, accounts, callers, addressOf });
  await app.register(healthRoutes, { database });
  await app.register(metricsRoutes, { sources, token: config.metricsToken, addressOf, trusts });
  openApiRoute(app);
  await registerPages(app);
  return { app, accounts, limits, usage, gateway };
}

/** The verifier, and what counts beside it. */
export function createVerification(config: Config, database: Database, log: Logger) {
  const usage = recordUsage({ database, log });
  const counts = new VerificationCounts();
  const limits = keepLimits({ database, log });
  const addressLimits = new AddressLimits(config.addressRateLimit);
  const verifier = new Verifier({
    reader: database.reader,
    prefixes: config.keyPrefixes,
    cacheKeys: config.cacheKeys,
    cacheRefusedKeys: config.cacheRefusedKeys,
    keyRateLimit: config.keyRateLimit,
    keyLimits: limits.keys,
    addressLimits,
    usage: usage.recorder,
    counts,
    failed: (error) => log.error({ err: error }, 'a key could not be checked'),
  });
  const sources: Sources = {
    verifications: counts,
    cached: () => verifier.cached,
    windows: () => ({ key: limits.keys.size, address: addressLimits.size }),
    unwrittenUses: () => usage.recorder.pending,
  };
  return { verifier, limits, usage, sources };
}

/** Most deployments have no gateway, and its code costs memory. */
async function createGateway(options: ConstructorParameters<typeof Gateway>[0]): Promise<Gateway> {
  const { Gateway } = await import('./gateway/gateway.ts');
  return new Gateway(options);
}
