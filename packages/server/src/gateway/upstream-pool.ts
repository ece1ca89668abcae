import type { Socket } from 'node:net';
import { buildConnector, type Dispatcher, errors, Pool } from 'undici';
import { answerHeaders, GaveUp, idle, type Timeouts } from './bounds.ts';

/** Connections to the upstream for requests that are whole: undici's. */
export class UpstreamPool {
  readonly #pool: Pool;
  #isConnecting = false;

  /** @param origin URL without a path */
  constructor(origin: string, { connection, silence }: Timeouts) {
    // HTTP/2 has neither the spelling of fields nor their order.
    const allowH2 = false;
    const connect = buildConnector({ allowH2, timeout: connection });
    this.#pool = new Pool(origin, {
      allowH2,
      connect: (options, callback) =>
        connect(options, (error, socket) => {
          if (error !== null) return callback(gaveUp(error), null);
          endWhenSilent(socket, silence);
          // The request that waits for this connection is written within the call.
          this.#isConnecting = true;
          callback(null, socket);
          this.#isConnecting = false;
        }),
      keepAliveTimeout: idle,
      keepAliveMaxTimeout: idle,
      maxHeaderSize: answerHeaders,
      // Each looks at the answer alone; `endWhenSilent` looks at both directions.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** Whether a connection was just made, and gets its first request. */
  get isConnecting(): boolean {
    return this.#isConnecting;
  }

  /** @param fields names and values in turn, sent exactly so behind Host and Connection */
  send(path: string, fields: string[], handler: Dispatcher.DispatchHandler): void {
    this.#pool.dispatch({ method: 'GET', path, headers: fields }, handler);
  }

  /** Ends the connections. */
  close(): void {
    void this.#pool.destroy();
  }
}

function gaveUp(error: Error): Error {
  return error instanceof errors.ConnectTimeoutError ? new GaveUp('the connection timed out') : error;
}

function endWhenSilent(socket: Socket, silence: number): void {
  socket.setTimeout(silence, () => {
    // What came waits for a client that does not take it, whose own time runs.
    if (socket.readableLength > 0) socket.setTimeout(silence);
    else socket.destroy(new GaveUp('no data was sent or received for too long'));
  });
}
