import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * How long open requests may take after a stop request, in ms. Container runtimes kill the process after ten seconds,
 * and the database must be closed before.
 */
const defaultTimeoutMs = 8_000;

/** How often connections are checked meanwhile, in ms. */
const interval = 50;

interface Closable {
  server: Server;
  /** Accepts no new connections; resolves when the last one has ended. */
  close(): PromiseLike<unknown>;
}

export type Close = (since?: number) => Promise<void>;

/**
 * Closes a server so that open requests finish and nothing else delays the end. Node by itself waits for connections
 * without any request, and keeps a connection alive whose request finishes after the closing began: a browser with an
 * open dashboard would delay a restart by more than a minute.
 *
 * @param app not listening yet
 * @param cutOff called once with the number of connections that are closed after the timeout
 * @param timeoutMs timeout of open requests in ms, after which their connections are closed
 * @returns a function that closes the server and resolves when every connection has ended. The timeout starts at
 *   `since`, in monotonic ms
 */
export function createGracefulClose(
  app: Closable,
  cutOff: (connections: number) => void,
  timeoutMs: number = defaultTimeoutMs,
): Close {
  const sockets = new Set<Socket>();
  app.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return async (since = performance.now()) => {
    const closed = Promise.resolve(app.close());
    const sweep = setInterval(() => {
      app.server.closeIdleConnections();
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    }, interval);
    const over = setTimeout(
      () => {
        cutOff(sockets.size);
        app.server.closeAllConnections();
      },
      since + timeoutMs - performance.now(),
    );
    await closed.finally(() => {
      clearInterval(sweep);
      clearTimeout(over);
    });
  };
}
