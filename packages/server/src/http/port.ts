import { lookup } from 'node:dns/promises';
import { createServer, type Server } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.ts';
import { errorCodeOf } from '../error-code.ts';
import { StartupError } from '../startup-error.ts';

type PortVariable = 'PORT' | 'SOKU_GATEWAY_PORT';

/**
 * Checks that the address is available before anything is written to the data directory.
 *
 * @param variable the variable that sets the port
 * @throws {StartupError} 69 when the address is in use or not permitted
 */
export async function checkPort(host: string, port: number, variable: PortVariable = 'PORT'): Promise<void> {
  const probe = createServer();
  await listenOn(probe, host, port, variable);
  await new Promise<void>((resolve) => probe.close(() => resolve()));
}

/** Starts listening with a plain server. */
export async function listenOn(
  server: Server,
  host: string,
  port: number,
  variable: PortVariable,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const failed = (error: NodeJS.ErrnoException) => reject(notAvailable(host, port, variable, error.code));
  server.once('error', failed);
  server.listen(port, host, resolve);
  await promise;
  server.off('error', failed);
}

/**
 * Starts listening, with the same errors as the check if the port was taken meanwhile.
 *
 * @param addresses of `host`
 */
export async function listen(
  app: FastifyInstance,
  config: Pick<Config, 'host' | 'port' | 'publicUrl'>,
  addresses: Promise<string[]> = addressesOf(config.host),
): Promise<void> {
  const { host, port } = config;
  const [first = host, ...others] = new Set(await addresses);
  for (const address of others) await listenAlso(app, address, port);
  try {
    await app.listen({ host: first, port, listenTextResolver: () => `Listening on ${config.publicUrl}` });
  } catch (error) {
    throw notAvailable(host, port, 'PORT', errorCodeOf(error) || undefined);
  }
}

/** Resolves `localhost` to all its addresses, because some programs use 127.0.0.1 and others ::1. */
async function addressesOf(host: string): Promise<string[]> {
  if (host !== 'localhost') return [host];
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}

/**
 * Accepts connections on another address of the same name, for the same server. The framework would create a second
 * server without the settings of the first. A machine without IPv6 may still list `::1` in its hosts file, so an
 * unavailable address is skipped.
 */
async function listenAlso(app: FastifyInstance, address: string, port: number): Promise<void> {
  // The same options as Node's HTTP server uses.
  const listener = createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
    app.server.emit('connection', socket),
  );
  const { promise, resolve } = Promise.withResolvers<boolean>();
  listener.once('error', () => resolve(false));
  listener.listen(port, address, () => resolve(true));
  if (!(await promise)) return;
  const closed = new Promise<void>((done) => listener.once('close', done));
  app.addHook('preClose', async () => {
    listener.close();
  });
  app.addHook('onClose', () => closed);
}

function notAvailable(
  host: string,
  port: number,
  variable: PortVariable,
  code: string | undefined,
): StartupError {
  const usual = variable === 'PORT' ? 3000 : 3001;
  const reasons: Record<string, string> = {
    EADDRINUSE: `${variable} ${port} on ${host} is in use by another program. Stop it, or choose another port, for example ${variable}=${port === 65535 ? usual : port + 1}.`,
    EACCES: `${variable} ${port} requires privileges that this user does not have. Choose a port above 1023, for example ${variable}=${usual}.`,
    EADDRNOTAVAIL: `HOST ${host} is not an address of this machine. Example: HOST=127.0.0.1`,
    ENOTFOUND: `HOST ${host} cannot be resolved. Example: HOST=127.0.0.1`,
  };
  return new StartupError(
    'unavailable',
    reasons[code ?? ''] ?? `${variable} ${port} on HOST ${host} is not available (${code}).`,
  );
}
