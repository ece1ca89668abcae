import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * How long open requests may take once the process is asked to stop, in ms. Container runtimes kill after ten
 * seconds, and the database still has to be closed.
 */
const usualPatience = 8_000;

/** How often connections are looked at meanwhile, in ms. */
const interval = 50;

interface Closable {
  server: Server;
  /** Takes no new connections; resolves when the last one has ended. */
  close(): PromiseLike<unknown>;
}

export type Close = (since?: number) => Promise<void>;

/**
 * Closing a server so that open requests finish, and nothing else holds the end up. Node by itself waits for a
 * connection over which nothing ever came, and keeps one alive whose request finished after the closing began:
 * a browser that has the dashboard open would delay a restart by more than a minute.
 *
 * @param app not listening yet
 * @param cutOff called once with the number of connections that are cut off when the patience is over
 * @param patience how long open requests may take, in ms; then they are cut off
 * @returns closes it; resolves when every connection has ended. The patience begins at `since`, in monotonic ms
 */
export function gracefulClose(
  app: Closable,
  cutOff: (connections: number) => void,
  patience: number = usualPatience,
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
      since + patience - performance.now(),
    );
    await closed.finally(() => {
      clearInterval(sweep);
      clearTimeout(over);
    });
  };
}
