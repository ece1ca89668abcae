import { createServer } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.ts';
import { StartupError } from '../startup-error.ts';

/**
 * Finds out whether the address can be had, before anything is written to the data directory.
 *
 * @throws {StartupError} 69 when it is taken or not allowed
 */
export async function checkPort(host: string, port: number): Promise<void> {
  const probe = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  probe.once('error', (error: NodeJS.ErrnoException) => reject(notAvailable(host, port, error.code)));
  probe.listen(port, host, () => probe.close(() => resolve()));
  await promise;
}

/** Listens, with a port that was lost since the check told as plainly. */
export async function listen(app: FastifyInstance, config: Config): Promise<void> {
  const { host, port } = config;
  try {
    await app.listen({ host, port, listenTextResolver: () => `Listening on ${config.publicUrl}` });
  } catch (error) {
    throw notAvailable(
      host,
      port,
      error instanceof Error && 'code' in error ? String(error.code) : undefined,
    );
  }
}

function notAvailable(host: string, port: number, code: string | undefined): StartupError {
  const reasons: Record<string, string> = {
    EADDRINUSE: `PORT ${port} on ${host} is taken by another program. Stop it, or choose another one, for example PORT=${port === 65535 ? 3000 : port + 1}.`,
    EACCES: `PORT ${port} needs rights that this user does not have. Choose one above 1023, for example PORT=3000.`,
    EADDRNOTAVAIL: `HOST ${host} is not an address of this machine. Example: HOST=127.0.0.1`,
    ENOTFOUND: `HOST ${host} is not known. Example: HOST=127.0.0.1`,
  };
  return new StartupError(
    'unavailable',
    reasons[code ?? ''] ?? `PORT ${port} on HOST ${host} is not available (${code}).`,
  );
}
