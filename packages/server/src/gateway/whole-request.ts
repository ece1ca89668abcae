import type { Dispatcher } from 'undici';
import type { ProxiedRequest } from './proxied-request.ts';

/**
 * A request to the upstream that is whole before it is sent, because it has no body: by undici, which takes half of
 * the time that Node's own client does.
 */
export class WholeRequest implements Dispatcher.DispatchHandler {
  readonly #proxied: ProxiedRequest;
  #controller: Dispatcher.DispatchController | undefined;
  /** Whether its connection has carried another request before. */
  #isReused = false;
  #hasBegun = false;

  constructor(proxied: ProxiedRequest) {
    this.#proxied = proxied;
  }

  abort(): void {
    this.#controller?.abort(new Error('the client disconnected'));
  }

  start(path: string, fields: string[]): void {
    this.#proxied.upstream.whole.send(path, fields, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#isReused = !this.#proxied.upstream.whole.isConnecting;
    // It waited for a connection, and could not be taken back.
    if (this.#proxied.isOver) this.abort();
  }

  /** @throws {Error} when the answer cannot be passed on: undici then ends the connection, and calls onResponseError */
  onResponseStart(
    { rawHeaders }: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // Interim answers, which are not passed on. 101 would be the last one (RFC 9110 section 15.2).
    if (status > 101 && status < 200) return;
    this.#proxied.begin({ status, raw: textsOf(rawHeaders), headers });
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
    const { upstream, response, isOver } = this.#proxied;
    // The client must not take a part for the whole.
    if (this.#hasBegun) response.destroy();
    else if (!isOver && saidContinue(error)) {
      upstream.saysContinueUnasked();
      this.#proxied.start();
    } else this.#proxied.fail(error, this.#isReused && isClosed(error));
  }
}

/** @param raw names and values in turn */
function textsOf(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  if (!Array.isArray(raw)) throw new Error('the response fields are not raw name and value pairs');
  return raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
}

function isClosed({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET';
}

/** undici takes a 100 Continue that it did not ask for as the end of the connection, although RFC 9110 allows it. */
function saidContinue({ code, message }: NodeJS.ErrnoException): boolean {
  return code === 'UND_ERR_SOCKET' && message === 'bad response';
}
