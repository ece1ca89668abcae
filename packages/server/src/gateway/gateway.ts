import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { answerBrokenRequest, refuseOnSocket, requestLimits } from '../http/broken-requests.ts';
import type { AddressHeader } from '../http/client-address.ts';
import type { Refusal } from '../http/errors.ts';
import { logAnswered, logsRequests } from '../http/logging.ts';
import { checkPreflight } from '../http/origin.ts';
import { clientLeft, type RequestCounts } from '../http/request-counts.ts';
import { clientRequestId, nextRequestId } from '../http/request-ids.ts';
import { limitFields } from '../limits/fields.ts';
import { identityFields } from '../verification/answers.ts';
import type { Verdict, VerdictOrPromise } from '../verification/verdict.ts';
import { Exchange } from './exchange.ts';
import { fieldsForClient, fieldsForUpstream, forwardedFields } from './fields.ts';
import { checkForwardable, notPassedOn } from './form.ts';
import { answerRefusal, hasBody } from './refusal.ts';
import { upstreamTarget } from './target.ts';
import { type Timeouts, Upstream, usualTimeouts } from './upstream.ts';

interface Options {
  /** http(s) URL, with a base path or without. */
  upstream: string;
  /** Whether the upstream gets the Authorization field, and so the key. */
  forwardKey: boolean;
  /** What happens to CORS preflights, which never carry a key. */
  preflight: 'refuse' | 'pass';
  /** Cookies of the dashboard. */
  isOwnCookie: (name: string) => boolean;
  /** Whether the key of a request is good, and counts the request. At once when the key is remembered. */
  verify: (request: IncomingMessage) => VerdictOrPromise;
  /** Whether the peer is a proxy that is believed. */
  trusts: (request: IncomingMessage) => boolean;
  /** The one header in which proxies name the client to us, and we to the upstream. */
  addressHeader: AddressHeader;
  /** Whether the process is about to stop, so that each answer closes its connection. */
  isStopping: () => boolean;
  requests: Pick<RequestCounts, 'answered'>;
  log: Logger;
  timeouts?: Timeouts;
}

/** What is known of a client's connection. */
interface Connection {
  /** Answers that are not at their end, with the exchanges that they come from. */
  open: Map<ServerResponse, Exchange | 'asking' | 'refused'>;
  /** Whether the client was told that it closes: what still comes is not read (RFC 9112 section 9.6). */
  closing: boolean;
}

/** A request whose key was looked at. */
interface Passing {
  request: IncomingMessage;
  response: ServerResponse;
  /** At the upstream. */
  path: string;
  verdict: Verdict | null;
  id: string;
  refuse: (refusal: Refusal) => void;
}

/** How long an unused connection of a client is kept, in ms: longer than the minute of usual load balancers. */
const keepAlive = 72_000;

/**
 * The built-in gateway: a server of its own origin that passes on verified requests, and nothing else, to one
 * upstream. It is a plain Node server, because all that a framework would do stands in the way of streaming.
 */
export class Gateway {
  readonly server: Server;
  readonly #options: Options;
  readonly #upstream: Upstream;
  readonly #connections = new WeakMap<Duplex, Connection>();
  /** Whether the log has a line for each request. */
  readonly #chatty: boolean;

  constructor(options: Options) {
    this.#options = options;
    this.#chatty = logsRequests(options.log);
    const timeouts = options.timeouts ?? usualTimeouts;
    this.#upstream = new Upstream(options.upstream, timeouts);
    const serve = (request: IncomingMessage, response: ServerResponse) => this.#serve(request, response);
    this.server = createServer(
      {
        maxHeaderSize: requestLimits.headers,
        headersTimeout: requestLimits.headersTime,
        // Of the whole request: a large upload takes as long as it takes, while it moves.
        requestTimeout: 0,
        requireHostHeader: false,
        keepAliveTimeout: keepAlive,
      },
      serve,
    );
    // Node would otherwise pass over the fields behind the 2000th, also those that the rules are about.
    this.server.maxHeadersCount = 0;
    // A client that neither sends nor reads. The upstream's timeout ends first, and has a response for it.
    this.server.timeout = timeouts.silence * 2;
    this.server.on('connection', (socket) =>
      this.#connections.set(socket, { open: new Map(), closing: false }),
    );
    // Answered only when the upstream does, or with a refusal in place of it.
    this.server.on('checkContinue', serve);
    this.server.on('checkExpectation', serve);
    this.server.on('connect', (_request, socket) => {
      socket.on('error', () => undefined);
      refuseOnSocket(socket, notPassedOn('CONNECT'));
    });
    this.server.on('clientError', (error, socket) => this.#answerBroken(error, socket));
  }

  /** Stops taking connections; resolves when the last one has ended. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.#upstream.close();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined || connection.closing) return;
    const id = nextRequestId();
    connection.open.set(response, 'asking');
    response.once('close', () => connection.open.delete(response));
    this.#count(request, response, id);
    const refuse = (refusal: Refusal) => {
      this.#closeWhenStopping(request, response);
      connection.open.set(response, 'refused');
      if (answerRefusal(request, response, refusal, id)) connection.closing = true;
    };
    const go = (next: Refusal | Exchange) => {
      if (response.destroyed) return;
      if (!(next instanceof Exchange)) return refuse(next);
      connection.open.set(response, next);
      next.start();
    };
    const failed = (error: unknown) => {
      this.#options.log.error({ err: error, reqId: id }, 'a request failed inside');
      refuse({
        code: 'internal_error',
        message: `Something failed inside. Give the request id ${id} to whoever runs this deployment.`,
      });
    };
    try {
      const next = this.#decide(request, response, id, refuse);
      if (next instanceof Promise) next.then(go).catch(failed);
      else go(next);
    } catch (error) {
      failed(error);
    }
  }

  /** Why the request is refused; or the exchange that passes it on. Verifies, and so counts, at most once. */
  #decide(
    request: IncomingMessage,
    response: ServerResponse,
    id: string,
    refuse: (refusal: Refusal) => void,
  ): Refusal | Exchange | Promise<Refusal | Exchange> {
    const { preflight, verify } = this.#options;
    const malformed = checkForwardable(request);
    if (malformed !== null) return malformed;
    const target = upstreamTarget(request.url ?? '', this.#upstream.basePath);
    if ('code' in target) return target;
    const crossOrigin = checkPreflight(request);
    if (crossOrigin !== null && preflight === 'refuse') return refusedPreflight;
    const passOn = (verdict: Verdict | null) =>
      this.#passOn({ request, response, path: target.path, verdict, id, refuse });
    const verdict = crossOrigin === null ? verify(request) : null;
    return verdict instanceof Promise ? verdict.then(passOn) : passOn(verdict);
  }

  /** @param verdict null for a preflight, which has no key */
  #passOn({ request, response, path, verdict, id, refuse }: Passing): Refusal | Exchange {
    const { trusts, addressHeader, forwardKey, isOwnCookie, log } = this.#options;
    if (verdict?.refusal !== undefined) return verdict.refusal;

    const rules = { isOwnCookie, forwardKey, trusted: trusts(request), addressHeader };
    const identity = verdict === null ? {} : identityFields(verdict.key);
    const limit = verdict?.limit ?? null;
    const ours = { 'x-request-id': id, ...(limit === null ? {} : limitFields(limit)) };
    return new Exchange({
      request,
      response,
      upstream: this.#upstream,
      path,
      fields: [
        'Host',
        this.#upstream.host,
        ...fieldsForUpstream(request.rawHeaders, rules),
        ...forwardedFields(request, rules),
        ...Object.entries(identity).flat(),
        'X-Request-Id',
        id,
      ],
      answerFields: (raw) => {
        this.#closeWhenStopping(request, response);
        return fieldsForClient(raw, { isOwnCookie, ours, upstream: this.#upstream.url });
      },
      failed: (refusal, { name, message }) => {
        // Not the error itself: Node puts the bytes of a broken answer into it.
        const reason = `${name}: ${message}`;
        if (refusal.code === 'bad_gateway') log.warn({ reqId: id, reason }, 'the upstream did not answer');
        refuse(refusal);
      },
    });
  }

  /**
   * Whoever keeps connections would otherwise send a request over one in the moment in which it is closed at the end.
   * Of several answers the last one closes, or the others would be lost.
   */
  #closeWhenStopping(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined || !this.#options.isStopping()) return;
    // Bytes that arrive at a closed connection reset it, and the answer may be lost.
    if (hasBody(request) && !request.complete) return;
    if ([...connection.open.keys()].at(-1) !== response) return;
    response.shouldKeepAlive = false;
    connection.closing = true;
  }

  /**
   * What came is no HTTP. When it was the body of a request that is being passed on, that ends, too; an answer that
   * has begun cannot be taken back, so the connection ends in its midst.
   */
  #answerBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
    const connection = this.#connections.get(socket);
    const [first, ...more] = connection?.open ?? [];
    if (connection !== undefined) connection.closing = true;
    const [response, exchange] = first ?? [];
    if (response === undefined) {
      answerBrokenRequest(error, socket);
    } else if (exchange === 'refused' && more.length === 0) {
      // Refused already, and the rest was not wanted.
      response.end();
    } else if (more.length > 0 || response.headersSent || response.req.complete) {
      socket.destroy();
    } else {
      if (exchange instanceof Exchange) exchange.abort();
      answerBrokenRequest(error, socket);
    }
  }

  /** Counts the request when it has ended, and logs it if each is to be. */
  #count(request: IncomingMessage, response: ServerResponse, id: string): void {
    const { requests, log } = this.#options;
    const { method = '' } = request;
    const start = performance.now();
    response.once('close', () => {
      const ms = performance.now() - start;
      const status = response.headersSent ? response.statusCode : clientLeft;
      requests.answered({ method, route: 'gateway' }, status, ms);
      if (!this.#chatty) return;
      logAnswered(log, { method, route: 'gateway', status, ms }, { reqId: id, ...clientRequestId(request) });
    });
  }
}

const refusedPreflight: Refusal = {
  code: 'cross_origin',
  message:
    'This gateway refuses CORS preflights, because they carry no key, and a secret key does not belong in a browser. To pass them on to the API, the operator sets SOKU_GATEWAY_PREFLIGHT=pass.',
};
