import { createServer, type Server } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { codeOf } from '../code-of.ts';
import type { Config } from '../config.ts';
import { StartupError } from '../startup-error.ts';

type PortVariable = 'PORT' | 'SOKU_GATEWAY_PORT';

/**
 * Finds out whether the address can be had, before anything is written to the data directory.
 *
 * @param variable the one that has the port
 * @throws {StartupError} 69 when it is taken or not allowed
 */
export async function checkPort(host: string, port: number, variable: PortVariable = 'PORT'): Promise<void> {
  const probe = createServer();
  await listenOn(probe, host, port, variable);
  await new Promise<void>((resolve) => probe.close(() => resolve()));
}

/** Listens with a plain server. */
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

/** Listens, with a port that was lost since the check told as plainly. */
export async function listen(app: FastifyInstance, config: Config): Promise<void> {
  const { host, port } = config;
  try {
    await app.listen({ host, port, listenTextResolver: () => `Listening on ${config.publicUrl}` });
  } catch (error) {
    throw notAvailable(host, port, 'PORT', codeOf(error) || undefined);
  }
}

function notAvailable(
  host: string,
  port: number,
  variable: PortVariable,
  code: string | undefined,
): StartupError {
  const usual = variable === 'PORT' ? 3000 : 3001;
  const reasons: Record<string, string> = {
    EADDRINUSE: `${variable} ${port} on ${host} is taken by another program. Stop it, or choose another one, for example ${variable}=${port === 65535 ? usual : port + 1}.`,
    EACCES: `${variable} ${port} needs rights that this user does not have. Choose one above 1023, for example ${variable}=${usual}.`,
    EADDRNOTAVAIL: `HOST ${host} is not an address of this machine. Example: HOST=127.0.0.1`,
    ENOTFOUND: `HOST ${host} is not known. Example: HOST=127.0.0.1`,
  };
  return new StartupError(
    'unavailable',
    reasons[code ?? ''] ?? `${variable} ${port} on HOST ${host} is not available (${code}).`,
  );
}
