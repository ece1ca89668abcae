import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { answerBrokenRequest, refuseOnSocket, requestLimits } from '../http/broken-requests.ts';
import type { AddressHeader } from '../http/client-address.ts';
import { internalError, type Refusal } from '../http/errors.ts';
import { logAnswered, logsRequests } from '../http/logging.ts';
import { checkPreflight } from '../http/origin.ts';
import { PreformattedResponse } from '../http/preformatted-response.ts';
import { clientLeft, type RequestCounts } from '../http/request-counts.ts';
import { clientRequestId, nextRequestId } from '../http/request-ids.ts';
import { type RequestFields, readFields } from '../verification/request-fields.ts';
import type { MaybePromise, Refused } from '../verification/verdict.ts';
import type { Accepted } from './accepted.ts';
import { type Timeouts, usualTimeouts } from './bounds.ts';
import { ClientHead } from './client-head.ts';
import { fieldsForUpstream } from './fields-for-upstream.ts';
import { checkForwardable, notPassedOn } from './form.ts';
import { ProxiedRequest } from './proxied-request.ts';
import { answerRefusal, hasBody } from './refusal.ts';
import { type Demand, demandOf, type Rule } from './rules.ts';
import { upstreamTarget } from './target.ts';
import { Upstream } from './upstream.ts';

interface Options {
  /** http(s) URL, with a base path or without. */
  upstream: string;
  /** Whether the upstream gets the Authorization field, and so the key. */
  forwardKey: boolean;
  /** What happens to CORS preflights, which never carry a key. */
  preflight: 'refuse' | 'pass';
  /** Cookies of the dashboard. */
  isOwnCookie: (name: string) => boolean;
  /** Whether the key of a request is good, and counts the request. At once when the key is cached. */
  verify: (
    request: IncomingMessage,
    fields: RequestFields,
    demand: Demand,
  ) => MaybePromise<Accepted | Refused>;
  /** The first that a request matches decides what its key must have. None: any good key will do. */
  rules: readonly Rule[];
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
  /** Answers that are not at their end, with the requests that they come from. */
  open: Map<PreformattedResponse, ProxiedRequest | 'asking' | 'refused'>;
  /** Whether the client was told that it closes: what still comes is not read (RFC 9112 section 9.6). */
  closing: boolean;
}

/** A request that is being answered. */
interface Serving {
  request: IncomingMessage;
  response: PreformattedResponse;
  connection: Connection;
  id: string;
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
  readonly #fieldsForUpstream: ReturnType<typeof fieldsForUpstream>;
  readonly #clientHead: ClientHead;
  readonly #connections = new WeakMap<Duplex, Connection>();
  /** Whether the log has a line for each request. */
  readonly #chatty: boolean;

  constructor(options: Options) {
    this.#options = options;
    this.#chatty = logsRequests(options.log);
    const timeouts = options.timeouts ?? usualTimeouts;
    this.#upstream = new Upstream(options.upstream, timeouts);
    this.#fieldsForUpstream = fieldsForUpstream(options);
    const { isOwnCookie } = options;
    this.#clientHead = new ClientHead({ isOwnCookie, upstream: this.#upstream.url, keepAlive });
    const serve = (request: IncomingMessage, response: PreformattedResponse) =>
      this.#serve(request, response);
    this.server = createServer(
      {
        maxHeaderSize: requestLimits.headers,
        headersTimeout: requestLimits.headersTime,
        // Of the whole request: a large upload takes as long as it takes, while it moves.
        requestTimeout: 0,
        requireHostHeader: false,
        keepAliveTimeout: keepAlive,
        // Saves the events of a body that never comes.
        optimizeEmptyRequests: true,
        ServerResponse: PreformattedResponse,
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

  #serve(request: IncomingMessage, response: PreformattedResponse): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined || connection.closing) return;
    const serving = { request, response, connection, id: nextRequestId() };
    const start = performance.now();
    connection.open.set(response, 'asking');
    response.on('close', () => this.#ended(serving, start));
    try {
      const next = this.#decide(serving);
      if (next instanceof Promise) {
        next.then((late) => this.#go(serving, late)).catch((error) => this.#failed(serving, error));
      } else this.#go(serving, next);
    } catch (error) {
      this.#failed(serving, error);
    }
  }

  #go(serving: Serving, next: Refusal | ProxiedRequest): void {
    const { response, connection } = serving;
    if (response.destroyed) return;
    if (next instanceof ProxiedRequest) {
      connection.open.set(response, next);
      next.start();
    } else this.#refuse(serving, next);
  }

  #refuse({ request, response, connection, id }: Serving, refusal: Refusal): void {
    this.#closeWhenStopping(request, response);
    connection.open.set(response, 'refused');
    if (answerRefusal(request, response, refusal, id)) connection.closing = true;
  }

  #failed(serving: Serving, error: unknown): void {
    const { id } = serving;
    this.#options.log.error({ err: error, reqId: id }, 'request failed with an internal error');
    this.#refuse(serving, internalError(id));
  }

  /** Why the request is refused; or the request that passes it on. Verifies, and so counts, at most once. */
  #decide(serving: Serving): MaybePromise<Refusal | ProxiedRequest> {
    const { request } = serving;
    const fields = readFields(request.rawHeaders);
    const malformed = checkForwardable(request, fields.hosts);
    if (malformed !== null) return malformed;
    const target = upstreamTarget(request.url ?? '', this.#upstream.basePath);
    if ('code' in target) return target;
    const { preflight, rules, verify } = this.#options;
    const demand = demandOf(rules, request);
    if ('code' in demand) return demand;
    if (checkPreflight(request) !== null) {
      if (preflight === 'refuse') return refusedPreflight;
      return demand.denied ?? this.#passOn(serving, target.path, withoutKey);
    }
    const verdict = verify(request, fields, demand);
    return verdict instanceof Promise
      ? verdict.then((late) => this.#passOn(serving, target.path, late))
      : this.#passOn(serving, target.path, verdict);
  }

  #passOn(serving: Serving, path: string, verdict: Accepted | Refused): Refusal | ProxiedRequest {
    if (verdict.refusal !== undefined) return verdict.refusal;
    const { request, response, id } = serving;
    const fields = this.#fieldsForUpstream(request, this.#options.trusts(request));
    fields.push(...verdict.identity, 'X-Request-Id', id);
    return new ProxiedRequest({
      request,
      response,
      upstream: this.#upstream,
      path,
      fields,
      clientHead: this.#clientHead,
      own: { requestId: id, limit: verdict.limit },
      answering: () => this.#closeWhenStopping(request, response),
      failed: (refusal, error) => this.#noAnswer(serving, refusal, error),
    });
  }

  #noAnswer(serving: Serving, refusal: Refusal, { name, message }: Error): void {
    // Not the error itself: Node puts the bytes of a broken answer into it.
    const reason = `${name}: ${message}`;
    if (refusal.code === 'bad_gateway') {
      this.#options.log.warn({ reqId: serving.id, reason }, 'the upstream did not answer');
    }
    this.#refuse(serving, refusal);
  }

  /**
   * Whoever keeps connections would otherwise send a request over one in the moment in which it is closed at the end.
   * Of several answers the last one closes, or the others would be lost.
   */
  #closeWhenStopping(request: IncomingMessage, response: PreformattedResponse): void {
    if (!this.#options.isStopping()) return;
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) return;
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
    const [response, proxied] = first ?? [];
    if (response === undefined) {
      answerBrokenRequest(error, socket);
    } else if (proxied === 'refused' && more.length === 0) {
      // Refused already, and the rest was not wanted.
      response.end();
    } else if (more.length > 0 || response.headersSent || response.req.complete) {
      socket.destroy();
    } else {
      if (proxied instanceof ProxiedRequest) proxied.abort();
      answerBrokenRequest(error, socket);
    }
  }

  /** Counts a request, and logs it if each is to be. What is still under way to the upstream ends. */
  #ended({ request, response, connection, id }: Serving, start: number): void {
    const proxied = connection.open.get(response);
    connection.open.delete(response);
    if (proxied instanceof ProxiedRequest && !response.writableFinished) proxied.abort();
    const { requests, log } = this.#options;
    const { method = '' } = request;
    const ms = performance.now() - start;
    const status = response.headersSent ? response.statusCode : clientLeft;
    requests.answered({ method, route: 'gateway' }, status, ms);
    if (!this.#chatty) return;
    logAnswered(log, { method, route: 'gateway', status, ms }, { reqId: id, ...clientRequestId(request) });
  }
}

/** A preflight, which has no key. */
const withoutKey: Accepted = { identity: [], limit: '' };

const refusedPreflight: Refusal = {
  code: 'cross_origin',
  message:
    'This gateway refuses CORS preflights, because they carry no key, and a secret key does not belong in a browser. To pass them on to the API, the operator sets SOKU_GATEWAY_PREFLIGHT=pass.',
};
