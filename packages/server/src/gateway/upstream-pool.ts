import type { Socket } from 'node:net';
import { buildConnector, type Dispatcher, errors, Pool } from 'undici';
import { idleTimeoutMs, maxResponseHeaderBytes, type Timeouts, UpstreamTimeout } from './timeouts.ts';

/** undici's connections to the upstream, for requests without a body. */
export class UpstreamPool {
  readonly #pool: Pool;
  #isConnecting = false;

  /** @param origin URL without a path */
  constructor(origin: string, { connection, silence }: Timeouts) {
    // HTTP/2 preserves neither the spelling of fields nor their order.
    const allowH2 = false;
    const connect = buildConnector({ allowH2, timeout: connection });
    this.#pool = new Pool(origin, {
      allowH2,
      connect: (options, callback) =>
        connect(options, (error, socket) => {
          if (error !== null) return callback(gaveUp(error), null);
          endWhenSilent(socket, silence);
          // The request that waits for this connection is written during this call.
          this.#isConnecting = true;
          callback(null, socket);
          this.#isConnecting = false;
        }),
      keepAliveTimeout: idleTimeoutMs,
      keepAliveMaxTimeout: idleTimeoutMs,
      maxHeaderSize: maxResponseHeaderBytes,
      // These cover only the response; `endWhenSilent` covers both directions.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** Whether a new connection is getting its first request. */
  get isConnecting(): boolean {
    return this.#isConnecting;
  }

  /** @param fields alternating names and values, sent unchanged after Host and Connection */
  send(path: string, fields: string[], handler: Dispatcher.DispatchHandler): void {
    this.#pool.dispatch({ method: 'GET', path, headers: fields }, handler);
  }

  /** Closes all connections. */
  close(): void {
    void this.#pool.destroy();
  }
}

function gaveUp(error: Error): Error {
  return error instanceof errors.ConnectTimeoutError
    ? new UpstreamTimeout('the connection timed out')
    : error;
}

function endWhenSilent(socket: Socket, silence: number): void {
  socket.setTimeout(silence, () => {
    // Received data waits for a client that does not read, for which its own timeout applies.
    if (socket.readableLength > 0) socket.setTimeout(silence);
    else socket.destroy(new UpstreamTimeout('no data was sent or received for too long'));
  });
}
