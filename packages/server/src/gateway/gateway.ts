import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { rejectBrokenRequest, rejectOnSocket, requestLimits } from '../http/broken-requests.ts';
import type { AddressHeader } from '../http/client-address.ts';
import { type ApiProblem, internalError } from '../http/errors.ts';
import { createForeignProtocolLog } from '../http/foreign-protocols.ts';
import { logRequest, logsRequests } from '../http/logging.ts';
import { checkPreflight } from '../http/origin.ts';
import { PreformattedResponse } from '../http/preformatted-response.ts';
import { clientClosedStatus, type RequestCounts } from '../http/request-counts.ts';
import { clientRequestId, nextRequestId } from '../http/request-ids.ts';
import { nodeHttp } from '../node-http.ts';
import { type RequestFields, readFields } from '../verification/request-fields.ts';
import type { MaybePromise, Rejected } from '../verification/result.ts';
import type { AcceptedRequest } from './accepted.ts';
import { checkForwardable, methodNotForwarded } from './check-forwardable.ts';
import { fieldsForUpstream } from './fields-for-upstream.ts';
import { ProxiedRequest } from './proxied-request.ts';
import { hasBody, sendRejection } from './rejection.ts';
import { ResponseHeadWriter } from './response-head.ts';
import { type Requirements, type Rule, requirementsFor } from './rules.ts';
import { upstreamTarget } from './target.ts';
import { defaultTimeouts, type Timeouts } from './timeouts.ts';
import { Upstream } from './upstream.ts';

interface Options {
  /** HTTP or HTTPS URL, optionally with a base path. */
  upstream: string;
  /** Whether the upstream gets the Authorization field, and thus the key. */
  forwardKey: boolean;
  /** How to handle CORS preflights, which never carry a key. */
  preflight: 'refuse' | 'pass';
  /** Cookies of the dashboard. */
  isOwnCookie: (name: string) => boolean;
  /** Verifies the key of a request and counts the request. It is synchronous if the key is cached. */
  verify: (
    request: IncomingMessage,
    fields: RequestFields,
    requirements: Requirements,
  ) => MaybePromise<AcceptedRequest | Rejected>;
  /** The first matching rule decides what the key must have. Without a match, any valid key is accepted. */
  rules: readonly Rule[];
  /** Whether the peer is a trusted proxy. */
  trusts: (request: IncomingMessage) => boolean;
  /** The header in which proxies name the client to the gateway, and the gateway to the upstream. */
  addressHeader: AddressHeader;
  /** Whether the process is shutting down, so that each response closes its connection. */
  isStopping: () => boolean;
  requests: Pick<RequestCounts, 'recordResponse'>;
  log: Logger;
  timeouts?: Timeouts;
}

/** The state of a client's connection. */
interface Connection {
  /** Unfinished responses, each with its proxied request, or its state if there is none. */
  open: Map<PreformattedResponse, ProxiedRequest | 'pending' | 'rejected'>;
  /** Whether the connection is closing: further input is not read (RFC 9112 section 9.6). */
  closing: boolean;
}

/** A request and its pending response. */
interface Serving {
  request: IncomingMessage;
  response: PreformattedResponse;
  connection: Connection;
  id: string;
}

/** How long an idle client connection is kept, in ms: longer than the 60 s that are usual for load balancers. */
const keepAlive = 72_000;

/**
 * The built-in gateway: a server on its own origin that forwards only verified requests to one upstream. It is a plain
 * Node server, because a framework would get in the way of streaming.
 */
export class Gateway {
  readonly server: Server;
  readonly #options: Options;
  readonly #upstream: Upstream;
  readonly #fieldsForUpstream: ReturnType<typeof fieldsForUpstream>;
  readonly #clientHead: ResponseHeadWriter;
  readonly #connections = new WeakMap<Duplex, Connection>();
  /** Whether every request is logged. */
  readonly #logsEachRequest: boolean;
  readonly #reportForeign: ReturnType<typeof createForeignProtocolLog>;

  constructor(options: Options) {
    this.#options = options;
    this.#logsEachRequest = logsRequests(options.log);
    this.#reportForeign = createForeignProtocolLog(options.log, 'SOKU_GATEWAY_PORT');
    const timeouts = options.timeouts ?? defaultTimeouts;
    this.#upstream = new Upstream(options.upstream, timeouts);
    this.#fieldsForUpstream = fieldsForUpstream(options);
    const { isOwnCookie } = options;
    this.#clientHead = new ResponseHeadWriter({ isOwnCookie, upstream: this.#upstream.url, keepAlive });
    const serve = (request: IncomingMessage, response: PreformattedResponse) =>
      this.#serve(request, response);
    this.server = nodeHttp.createServer(
      {
        maxHeaderSize: requestLimits.headers,
        headersTimeout: requestLimits.headersTime,
        // No limit for the whole request: a large upload may take any time as long as it makes progress.
        requestTimeout: 0,
        requireHostHeader: false,
        keepAliveTimeout: keepAlive,
        // Skips the events of an empty body.
        optimizeEmptyRequests: true,
        ServerResponse: PreformattedResponse,
      },
      serve,
    );
    // By default Node drops fields after the 1000th or rejects the request; rules may depend on any field.
    this.server.maxHeadersCount = 0;
    // Ends connections of clients that neither send nor read. A silent upstream times out earlier, with a response.
    this.server.timeout = timeouts.silence * 2;
    this.server.on('connection', (socket) =>
      this.#connections.set(socket, { open: new Map(), closing: false }),
    );
    // The client gets 100 Continue only from the upstream, or a rejection instead.
    this.server.on('checkContinue', serve);
    this.server.on('checkExpectation', serve);
    this.server.on('connect', (_request, socket) => {
      socket.on('error', () => undefined);
      rejectOnSocket(socket, methodNotForwarded('CONNECT'));
    });
    this.server.on('clientError', (error, socket) => this.#rejectBroken(error, socket));
  }

  /** Stops accepting connections; resolves when the last one has ended. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.#upstream.close();
  }

  #serve(request: IncomingMessage, response: PreformattedResponse): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined || connection.closing) return;
    const serving = { request, response, connection, id: nextRequestId() };
    const start = performance.now();
    connection.open.set(response, 'pending');
    response.on('close', () => this.#ended(serving, start));
    try {
      const next = this.#decide(serving);
      if (next instanceof Promise) {
        next.then((late) => this.#proceed(serving, late)).catch((error) => this.#failed(serving, error));
      } else this.#proceed(serving, next);
    } catch (error) {
      this.#failed(serving, error);
    }
  }

  #proceed(serving: Serving, next: ApiProblem | ProxiedRequest): void {
    const { response, connection } = serving;
    if (response.destroyed) return;
    if (next instanceof ProxiedRequest) {
      connection.open.set(response, next);
      next.start();
    } else this.#reject(serving, next);
  }

  #reject({ request, response, connection, id }: Serving, problem: ApiProblem): void {
    this.#closeWhenStopping(request, response);
    connection.open.set(response, 'rejected');
    if (sendRejection(request, response, problem, id)) connection.closing = true;
  }

  #failed(serving: Serving, error: unknown): void {
    const { id } = serving;
    this.#options.log.error({ err: error, reqId: id }, 'request failed with an internal error');
    this.#reject(serving, internalError(id));
  }

  /** Returns the rejection or the proxied request. It verifies the key, and thus counts the request, at most once. */
  #decide(serving: Serving): MaybePromise<ApiProblem | ProxiedRequest> {
    const { request } = serving;
    const fields = readFields(request.rawHeaders);
    const malformed = checkForwardable(request, fields.hosts);
    if (malformed !== null) return malformed;
    const target = upstreamTarget(request.url ?? '', this.#upstream.basePath);
    if ('code' in target) return target;
    const { preflight, rules, verify } = this.#options;
    const requirements = requirementsFor(rules, request);
    if ('code' in requirements) return requirements;
    if (checkPreflight(request) !== null) {
      if (preflight === 'refuse') return rejectedPreflight;
      return requirements.denied ?? this.#forward(serving, target.path, withoutKey);
    }
    const result = verify(request, fields, requirements);
    return result instanceof Promise
      ? result.then((late) => this.#forward(serving, target.path, late))
      : this.#forward(serving, target.path, result);
  }

  #forward(serving: Serving, path: string, result: AcceptedRequest | Rejected): ApiProblem | ProxiedRequest {
    if (result.problem !== undefined) return result.problem;
    const { request, response, id } = serving;
    const fields = this.#fieldsForUpstream(request, this.#options.trusts(request));
    fields.push(...result.identity, 'X-Request-Id', id);
    return new ProxiedRequest({
      request,
      response,
      upstream: this.#upstream,
      path,
      fields,
      clientHead: this.#clientHead,
      own: { requestId: id, limit: result.limit },
      beforeHead: () => this.#closeWhenStopping(request, response),
      failed: (problem, error) => this.#upstreamFailed(serving, problem, error),
    });
  }

  #upstreamFailed(serving: Serving, problem: ApiProblem, { name, message }: Error): void {
    // The error itself is not logged, because Node includes the bytes of an invalid response in it.
    const reason = `${name}: ${message}`;
    if (problem.code === 'bad_gateway') {
      this.#options.log.warn({ reqId: serving.id, reason }, 'the upstream did not respond');
    }
    this.#reject(serving, problem);
  }

  /**
   * Closes the connection after the response during shutdown. Otherwise a client could send its next request at the
   * moment when the connection is closed. With several pending responses the last one closes, or the others would be
   * lost.
   */
  #closeWhenStopping(request: IncomingMessage, response: PreformattedResponse): void {
    if (!this.#options.isStopping()) return;
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) return;
    // Bytes that arrive at a closed connection reset it, and the response may be lost.
    if (hasBody(request) && !request.complete) return;
    if ([...connection.open.keys()].at(-1) !== response) return;
    response.shouldKeepAlive = false;
    connection.closing = true;
  }

  /**
   * Handles input that is not valid HTTP. If it is the body of a proxied request, that request is aborted. A response
   * that has started cannot be taken back, so the connection is closed in the middle of it.
   */
  #rejectBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
    const connection = this.#connections.get(socket);
    const [first, ...more] = connection?.open ?? [];
    if (connection !== undefined) connection.closing = true;
    const [response, proxied] = first ?? [];
    if (response === undefined) {
      rejectBrokenRequest(error, socket, this.#reportForeign);
    } else if (proxied === 'rejected' && more.length === 0) {
      // The request is already rejected, and the rest of its body is not needed.
      response.end();
    } else if (more.length > 0 || response.headersSent || response.req.complete) {
      socket.destroy();
    } else {
      if (proxied instanceof ProxiedRequest) proxied.abort();
      rejectBrokenRequest(error, socket, this.#reportForeign);
    }
  }

  /** Counts a finished request, logs it if every request is logged, and aborts its unfinished upstream request. */
  #ended({ request, response, connection, id }: Serving, start: number): void {
    const proxied = connection.open.get(response);
    connection.open.delete(response);
    if (proxied instanceof ProxiedRequest && !response.writableFinished) proxied.abort();
    const { requests, log } = this.#options;
    const { method = '' } = request;
    const ms = performance.now() - start;
    const status = response.headersSent ? response.statusCode : clientClosedStatus;
    requests.recordResponse({ method, route: 'gateway' }, status, ms);
    if (!this.#logsEachRequest) return;
    logRequest(log, { method, route: 'gateway', status, ms }, { reqId: id, ...clientRequestId(request) });
  }
}

/** Stands for the accepted key of a preflight, which carries none. */
const withoutKey: AcceptedRequest = { identity: [], limit: '' };

const rejectedPreflight: ApiProblem = {
  code: 'cross_origin',
  message:
    'This gateway rejects CORS preflights, because they carry no key. Never use a secret key in a browser. The operator can forward preflights with SOKU_GATEWAY_PREFLIGHT=pass.',
};
