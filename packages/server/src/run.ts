import { isStripePrefix } from '@soku/key';
import type { Logger } from 'pino';
import { readOrCreateSecret } from './accounts/secret.ts';
import { createAudit } from './audit/audit.ts';
import { type Config, readConfig, unknownVariables } from './config.ts';
import { type DataDirectory, openDataDirectory } from './database/data-directory.ts';
import { type Database, openDatabase } from './database/open.ts';
import { refusedByStorage } from './database/storage-errors.ts';
import type { Gateway } from './gateway/gateway.ts';
import { type Close, gracefulClose } from './http/closing.ts';
import { createLog } from './http/logging.ts';
import { checkPort, listen, listenOn } from './http/port.ts';
import { RevocationJournal } from './journal/journal.ts';
import type { KeyService } from './keys/service.ts';
import { exitCodes, StartupError } from './startup-error.ts';
import { endProcess } from './stop.ts';
import { version } from './version.ts';

/** Starts the process: configuration, port, data, pages; each refused in one line before the next is touched. */
async function start(): Promise<void> {
  const config = readConfig(process.env);
  await checkPort(config.host, config.port);
  if (config.gateway) await checkPort(config.host, config.gateway.port, 'SOKU_GATEWAY_PORT');
  const directory = openDataDirectory(config.dataDir);
  const log = await createLog(config.logLevel, process.stdout.isTTY === true);
  for (const name of unknownVariables(process.env))
    log.warn(`${name} is not a variable of Soku, and does nothing`);
  if (config.databaseUrl === undefined) await directory.settled();
  const database = await openDatabase(directory, config.databaseUrl, log);
  const secret = readOrCreateSecret(config.secret, directory.secretFile);
  watch(directory, log);
  const journal = new RevocationJournal(directory, database, log);
  await inWords(database, journal.start());
  // Loaded when it is wanted: that takes longer than everything that may refuse the start.
  const { createApp } = await import('./app.ts');
  const { app, accounts, failedSignIns, keys, nodes, limits, usage, gateway, draining } = await createApp(
    config,
    database,
    journal,
    secret,
    log,
  );
  const audit = createAudit({ database, retentionDays: config.auditRetentionDays, log });
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'This is a bug; the process ends');
    process.exit(exitCodes.software);
  });
  const close = gracefulClose(app, reportCutOff(log));
  const started = Promise.withResolvers<Close>();
  // Before anything is announced or a node registers: a signal that comes now must not leave the node's row behind.
  stopOnSignal(async (signal) => {
    const closeGateway = await started.promise;
    const code = await endProcess(signal, {
      hasOthers: () => nodes?.list().some(({ self, state }) => !self && state === 'ready') === true,
      drain: () => draining.begin(),
      closeServers: (since) => Promise.all([close(since), closeGateway(since)]),
      write: async (progressed) => {
        const [written] = await Promise.all([usage.stop(progressed), limits.stop()]);
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
    // Only connections to a database that does not answer could still keep the process alive.
    setTimeout(() => process.exit(), 500).unref();
  });
  const setupCode = await inWords(database, accounts.prepareFirstAccount(config.owner));
  log.info(`Soku API Keys ${version}, data in ${directory.path}`);
  await inWords(database, remindOfPrefix(config.keyPrefixes[0], keys, log));
  await inWords(database, limits.start());
  await inWords(database, nodes?.start());
  const closeGateway = await startGateway(gateway, config, log);
  await listen(app, config);
  usage.start();
  failedSignIns.start();
  audit.start();
  if (setupCode !== undefined) tellSetupCode(log, `Set up Soku: ${config.publicUrl}/setup?code=${setupCode}`);
  started.resolve(closeGateway);
}

/** Logs when the data directory is no longer this process's own, and when it is again. */
function watch({ hold, path }: DataDirectory, log: Logger): void {
  hold.start({
    lost: (failure) =>
      log.error(
        `${failure.message}. Keys and changes are refused until this is mended. If the lock or the database in ${path} was removed or replaced, start this process again`,
      ),
    regained: () => log.info('The data directory is usable again'),
  });
}

/** Work of the start that asks the database, which may fail as it may when it is opened. */
async function inWords<T>({ kind }: Database, work: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (kind === 'sqlite') throw error;
    const { failedStart } = await import('./database/postgres-failures.ts');
    throw failedStart(error);
  }
}

function reportCutOff(log: Logger): (connections: number) => void {
  return (connections) =>
    log.warn({ connections }, 'Open requests took too long to finish; their connections are cut off');
}

/** @returns closes it; open requests finish first, as those of the main server do */
async function startGateway(
  gateway: Gateway | undefined,
  { host, gateway: wanted }: Config,
  log: Logger,
): Promise<Close> {
  if (gateway === undefined || wanted === undefined) return async () => undefined;
  const close = gracefulClose(gateway, reportCutOff(log));
  await listenOn(gateway.server, host, wanted.port, 'SOKU_GATEWAY_PORT');
  log.info(`The gateway on port ${wanted.port} passes requests with a good key on to ${wanted.upstream}`);
  return close;
}

/** Says what a prefix of Stripe's does while it costs nothing to change it: before the first key exists. */
async function remindOfPrefix(prefix: string, keys: KeyService, log: Logger): Promise<void> {
  if (!isStripePrefix(prefix) || (await keys.hasAny())) return;
  log.warn(
    `New keys begin with ${prefix}, as Stripe's do: secret scanners report a leaked one as Stripe's, and TruffleHog sends it there. Set SOKU_KEY_PREFIX before you create keys (docs/secret-scanners.md)`,
  );
}

/** Without this line nobody can ever sign in, so it is printed at every log level. */
function tellSetupCode(log: Logger, line: string): void {
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
      // Whoever asks again does not want to wait for open requests. Under npm one Ctrl+C arrives twice at once.
      process.exit(1);
    }
  };
  // SIGHUP: the terminal was closed, or a supervisor means a restart. Its default would end the process at once.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, handle);
}

/** The whole life of the process. A start that fails says why in one line, and exits with its code. */
export async function run(): Promise<void> {
  try {
    await start();
  } catch (thrown) {
    const error = refusedByStorage(thrown);
    if (!(error instanceof StartupError)) {
      console.error(`soku: This is a bug. ${error instanceof Error ? error.stack : String(error)}`);
      process.exit(exitCodes.software);
    }
    console.error(`soku: ${error.message}`);
    process.exit(error.exitCode);
  }
}
