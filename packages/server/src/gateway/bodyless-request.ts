import type { Dispatcher } from 'undici';
import type { ProxiedRequest } from './proxied-request.ts';

/**
 * An upstream request without a body. It uses undici, which takes half the time of Node's own client.
 */
export class BodylessRequest implements Dispatcher.DispatchHandler {
  readonly #proxied: ProxiedRequest;
  #controller: Dispatcher.DispatchController | undefined;
  /** Whether the connection has carried another request before. */
  #isReused = false;
  #hasBegun = false;

  constructor(proxied: ProxiedRequest) {
    this.#proxied = proxied;
  }

  abort(): void {
    this.#controller?.abort(new Error('the client disconnected'));
  }

  start(path: string, fields: string[]): void {
    this.#proxied.upstream.pool.send(path, fields, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#isReused = !this.#proxied.upstream.pool.isConnecting;
    // Aborted while it waited for a connection, when it could not be canceled.
    if (this.#proxied.isAborted) this.abort();
  }

  /** @throws {Error} if the response cannot be forwarded; undici then closes the connection and reports the error */
  onResponseStart(
    { rawHeaders }: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // Interim responses are not forwarded. A 101 would be final (RFC 9110 section 15.2).
    if (status > 101 && status < 200) return;
    this.#proxied.begin({ status, raw: toStrings(rawHeaders), headers });
    this.#hasBegun = true;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#proxied.write(chunk)) return;
    controller.pause();
    this.#proxied.response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    this.#proxied.end();
  }

  onResponseError(_controller: unknown, error: NodeJS.ErrnoException): void {
    const { upstream, response, isAborted: isOver } = this.#proxied;
    // The client must not mistake a partial response for a complete one.
    if (this.#hasBegun) response.destroy();
    else if (!isOver && gotUnsolicitedContinue(error)) {
      upstream.disablePool();
      this.#proxied.start();
    } else this.#proxied.fail(error, this.#isReused && isClosed(error));
  }
}

/** @param raw alternating names and values */
function toStrings(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  if (!Array.isArray(raw)) throw new Error('the response fields are not raw name and value pairs');
  return raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
}

function isClosed({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET';
}

/** undici treats an unsolicited 100 Continue as a connection error, although RFC 9110 allows it. */
function gotUnsolicitedContinue({ code, message }: NodeJS.ErrnoException): boolean {
  return code === 'UND_ERR_SOCKET' && message === 'bad response';
}
