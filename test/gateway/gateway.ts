import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { callWithFields } from '../support/http.ts';
import { freePort, startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

/** A request that an upstream received. */
export interface UpstreamRequest {
  method: string;
  target: string;
  /** Alternating names and values as received. */
  fields: string[];
  headers: IncomingMessage['headers'];
  body: string;
}

/** A server in the test process to which a gateway forwards requests. */
export class Upstream {
  readonly url: string;
  readonly requests: UpstreamRequest[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${portOf(server)}`;
  }

  /** @param respond handles a request whose body was not read; by default requests are recorded and get `{}` */
  static async start(respond?: RequestListener): Promise<Upstream> {
    const server = createHttpServer({ keepAliveTimeout: 60_000 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const upstream = new Upstream(server);
    server.on('request', respond ?? ((request, response) => void upstream.#record(request, response)));
    return upstream;
  }

  async #record(...[request, response]: Parameters<RequestListener>): Promise<void> {
    const { method = '', url: target = '', rawHeaders: fields, headers } = request;
    this.requests.push({ method, target, fields, headers, body: await text(request) });
    response.setHeader('content-type', 'application/json').end('{}');
  }

  /** The last request. */
  get last(): UpstreamRequest {
    const last = this.requests.at(-1);
    if (last === undefined) throw new Error('the upstream received no request');
    return last;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/**
 * An upstream without an HTTP library: it splits its input into requests strictly by RFC 9112, keeps their bytes, and
 * sends the result of `respond` for each.
 */
export async function startRawUpstream(
  respond: () => string = () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
) {
  const requests: string[] = [];
  /** Incomplete requests on open connections. */
  const rests = new Set<{ bytes: string }>();
  const server = createServer((socket) => {
    const rest = { bytes: '' };
    rests.add(rest);
    socket.setEncoding('latin1').on('error', () => undefined);
    socket.once('close', () => rests.delete(rest));
    socket.on('data', (bytes: string) => {
      rest.bytes += bytes;
      for (let end = requestEnd(rest.bytes); end !== null; end = requestEnd(rest.bytes)) {
        requests.push(rest.bytes.slice(0, end));
        rest.bytes = rest.bytes.slice(end);
        socket.write(respond(), 'latin1');
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${portOf(server)}`;
  return {
    url,
    requests,
    rests: () => [...rests].map(({ bytes }) => bytes).filter((bytes) => bytes !== ''),
    stop: () => server.close(),
  };
}

function requestEnd(bytes: string): number | null {
  const headEnd = bytes.indexOf('\r\n\r\n') + 4;
  if (headEnd === 3) return null;
  const head = bytes.slice(0, headEnd);
  const length = /\r\nContent-Length: (\d+)\r\n/i.exec(head)?.[1];
  if (/\r\nTransfer-Encoding: chunked\r\n/i.test(head)) {
    const end = /(^|\r\n)0\r\n\r\n/.exec(bytes.slice(headEnd));
    return end === null ? null : headEnd + end.index + end[0].length;
  }
  const end = headEnd + Number(length ?? 0);
  return end > bytes.length ? null : end;
}

/** Starts a server whose gateway forwards to this upstream. */
export async function startGateway(
  upstream: string,
  env: Record<string, string> = {},
): Promise<{ server: TestServer; gateway: string }> {
  const port = String(await freePort());
  const server = await startServer({
    env: { SOKU_GATEWAY_UPSTREAM: upstream, SOKU_GATEWAY_PORT: port, ...env },
  });
  return { server, gateway: `http://localhost:${port}` };
}

/** An upstream with this handler, a gateway in front of it, and a key. All of them stop with the test. */
export async function behindGateway(
  t: TestContext,
  respond: RequestListener,
  { env = {}, path = '' }: { env?: Record<string, string>; path?: string } = {},
) {
  const upstream = await Upstream.start(respond);
  t.after(() => upstream.stop());
  const { server, gateway } = await startGateway(upstream.url + path, env);
  t.after(() => server.stop());
  const { apiKey } = await (await openSession(server)).createKey({ name: 'client' });
  const callGateway = (
    target: string,
    { fields = [], ...options }: Parameters<typeof callWithFields>[1] = {},
  ) =>
    callWithFields(gateway + target, {
      ...options,
      fields: [['Authorization', `Bearer ${apiKey}`], ...fields],
    });
  return { upstream, server, gateway, apiKey, callGateway };
}

function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}
