import { isStripePrefix } from '@soku/key';
import type { Logger } from 'pino';
import { readOrCreateSecret } from './accounts/secret.ts';
import { createAudit } from './audit/audit.ts';
import { type Config, readConfig, unknownVariables } from './config.ts';
import { type DataDirectory, openDataDirectory } from './database/data-directory.ts';
import { type Database, openDatabase } from './database/open.ts';
import { toStorageStartupError } from './database/storage-errors.ts';
import type { Gateway } from './gateway/gateway.ts';
import { type Close, createGracefulClose } from './http/closing.ts';
import { createLog } from './http/logging.ts';
import { checkPort, listen, listenOn } from './http/port.ts';
import { RevocationJournal } from './journal/journal.ts';
import type { KeyService } from './keys/service.ts';
import { withTimeout } from './propagation/with-timeout.ts';
import { shutDown } from './shutdown.ts';
import { exitCodes, StartupError } from './startup-error.ts';
import { scheduleTimer } from './timers/periodic-task.ts';
import { version } from './version.ts';

/** Time in ms for the last events of a server that stops. */
const lastEventsTimeout = 2000;

/** Starts the process: configuration, ports, data, app. Each step fails with one line before the next begins. */
async function start(): Promise<void> {
  const config = readConfig(process.env);
  await checkPort(config.host, config.port);
  if (config.gateway) await checkPort(config.host, config.gateway.port, 'SOKU_GATEWAY_PORT');
  const directory = openDataDirectory(config.dataDir, { holdsDatabase: config.databaseUrl === undefined });
  const log = await createLog(config.logLevel, process.stdout.isTTY === true);
  for (const name of unknownVariables(process.env))
    log.warn(`${name} is not a known variable and has no effect`);
  if (config.databaseUrl === undefined) await directory.settled();
  const database = await openDatabase(directory, config.databaseUrl, log);
  const secret = readOrCreateSecret(config.secret, directory.secretFile);
  watch(directory, log);
  const journal = new RevocationJournal(directory, database, log);
  await withStartErrors(database, journal.start());
  // Loaded late: this takes longer than all the checks that may prevent the start.
  const { createApp } = await import('./app.ts');
  const { app, accounts, failedSignIns, keys, nodes, limits, usage, tasks, gateway, draining } =
    await createApp(config, database, journal, secret, log);
  const audit = createAudit({ database, retentionDays: config.auditRetentionDays, log });
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'Unexpected error (a bug in Soku); stopping the process');
    process.exit(exitCodes.software);
  });
  const close = createGracefulClose(app, reportCutOff(log));
  const started = Promise.withResolvers<Close>();
  // Must run before anything is announced or a node registers, so that a signal leaves no node row behind.
  stopOnSignal(async (signal) => {
    const closeGateway = await started.promise;
    const code = await shutDown(signal, {
      hasOthers: () => nodes?.list().some(({ self, state }) => !self && state === 'ready') === true,
      drain: () => draining.begin(),
      closeServers: (since) => Promise.all([close(since), closeGateway(since)]),
      write: async (progressed) => {
        const stopped = tasks.stop();
        const [written] = await Promise.all([usage.stop(progressed), limits.stop()]);
        // The written usage may show that a revoked key is in use, which is an event. The next start can do this, too.
        await withTimeout(
          stopped.then(() => audit.sealLast()),
          lastEventsTimeout,
          scheduleTimer,
        );
        return written;
      },
      leave: () =>
        Promise.all([nodes?.stop(), journal.stop(), failedSignIns.stop().then(() => audit.stop())]),
      closeDatabase: () => database.close(),
      isRemote: database.kind === 'postgres',
      log,
    });
    directory.release();
    process.exitCode = code;
    // At this point only connections to an unresponsive database could keep the process alive.
    setTimeout(() => process.exit(), 500).unref();
  });
  const setupCode = await withStartErrors(database, accounts.prepareFirstAccount(config.owner));
  log.info(`Soku API Keys ${version}, data in ${directory.path}`);
  await withStartErrors(database, warnAboutStripePrefix(config.keyPrefixes[0], keys, log));
  await withStartErrors(database, limits.start());
  await withStartErrors(database, usage.recover());
  await withStartErrors(database, nodes?.start());
  const closeGateway = await startGateway(gateway, config, log);
  await listen(app, config);
  usage.start();
  tasks.start();
  failedSignIns.start();
  audit.start();
  if (setupCode !== undefined)
    printSetupLink(log, `Set up Soku: ${config.publicUrl}/setup?code=${setupCode}`);
  started.resolve(closeGateway);
}

function warnAboutVolume({ path, volume, lockUnchecked }: DataDirectory, log: Logger): void {
  const { name, kind } = volume;
  if (kind === 'local') return;
  if (lockUnchecked !== undefined) {
    log.warn(
      `The data directory ${path} is on ${name}, and no other process could try to take its lock (${lockUnchecked}). Make sure that no second server uses this directory`,
    );
    return;
  }
  log.warn(
    `The data directory ${path} is on ${name}, whose locks may not reach other machines. Make sure that no server on another machine uses this directory`,
  );
}

/** Logs when this process loses its data directory, and when it regains it. */
function watch(directory: DataDirectory, log: Logger): void {
  const { lockMonitor, path } = directory;
  warnAboutVolume(directory, log);
  lockMonitor.start({
    lost: (failure) =>
      log.error(
        `${failure.message}. All keys and changes are rejected until this is fixed. If the lock or the database in ${path} was removed or replaced, restart this process`,
      ),
    regained: () => log.info('The data directory is usable again'),
  });
}

/**
 * Runs a start-up step that uses the database. It may fail like the opening of the database, with the same messages.
 */
async function withStartErrors<T>({ kind }: Database, work: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (kind === 'sqlite') throw error;
    const { explainStartFailure } = await import('./database/postgres-failures.ts');
    throw explainStartFailure(error);
  }
}

function reportCutOff(log: Logger): (connections: number) => void {
  return (connections) =>
    log.warn({ connections }, 'Open requests took too long to finish; closing their connections');
}

/** @returns a function that closes the gateway; as with the main server, open requests finish first */
async function startGateway(
  gateway: Gateway | undefined,
  { host, gateway: wanted }: Config,
  log: Logger,
): Promise<Close> {
  if (gateway === undefined || wanted === undefined) return async () => undefined;
  const close = createGracefulClose(gateway, reportCutOff(log));
  await listenOn(gateway.server, host, wanted.port, 'SOKU_GATEWAY_PORT');
  log.info(`The gateway on port ${wanted.port} forwards requests with a valid key to ${wanted.upstream}`);
  return close;
}

/** Warns about Stripe's prefix before the first key exists, while it can still be changed without cost. */
async function warnAboutStripePrefix(prefix: string, keys: KeyService, log: Logger): Promise<void> {
  if (!isStripePrefix(prefix) || (await keys.hasAny())) return;
  log.warn(
    `New keys begin with ${prefix}, like Stripe's: secret scanners report leaked ones as Stripe keys, and TruffleHog sends them to Stripe. Set SOKU_KEY_PREFIX before you create keys (docs/secret-scanners.md)`,
  );
}

/** Prints the setup link at every log level, because without it no one can sign in. */
function printSetupLink(log: Logger, line: string): void {
  if (log.isLevelEnabled('info')) log.info(line);
  else console.log(line);
}

function stopOnSignal(stop: (signal: string) => Promise<void>): void {
  let since: number | undefined;
  const handle = (signal: string) => {
    if (since === undefined) {
      since = performance.now();
      void stop(signal);
    } else if (performance.now() - since > 1000) {
      // A second signal stops without waiting for open requests. Under npm a single Ctrl+C arrives twice at once.
      process.exit(1);
    }
  };
  // SIGHUP: the terminal was closed, or a supervisor requests a restart. By default it would end the process at once.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, handle);
}

/** Runs the process. A failed start prints its reason in one line and exits with its code. */
export async function run(): Promise<void> {
  try {
    await start();
  } catch (thrown) {
    const error = toStorageStartupError(thrown);
    if (!(error instanceof StartupError)) {
      console.error(
        `soku: Unexpected error (a bug in Soku). ${error instanceof Error ? error.stack : String(error)}`,
      );
      process.exit(exitCodes.software);
    }
    console.error(`soku: ${error.message}`);
    process.exit(error.exitCode);
  }
}
