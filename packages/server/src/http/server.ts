import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { redactKeys } from '@soku/key';
import fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { z } from 'zod';
import { DatabaseUnavailable, StorageUnavailable } from '../database/unavailable.ts';
import { checkRequestForm, rejectBrokenRequest, requestLimits } from './broken-requests.ts';
import type { ClientAddress } from './client-address.ts';
import { type ApiProblem, internalError, type ProblemDetail, RequestError, sendProblem } from './errors.ts';
import { createForeignProtocolLog } from './foreign-protocols.ts';
import { logRequest, logsRequests, throttle } from './logging.ts';
import { allowedOrigins, checkOrigin, checkPreflight } from './origin.ts';
import { PreformattedResponse } from './preformatted-response.ts';
import { replayBody } from './read-body.ts';
import type { RequestCounts } from './request-counts.ts';
import { clientRequestId, nextRequestId } from './request-ids.ts';
import { unavailableProblem } from './unavailable.ts';
import { readUtf8 } from './utf8.ts';

interface Options {
  log: FastifyBaseLogger;
  publicUrl: string;
  addressOf: ClientAddress;
  /** Whether a session authenticates a management call. */
  usesSession: (request: IncomingMessage) => boolean;
  /** Called before the headers are read: renames cookies of earlier versions. */
  acceptCookies: (headers: IncomingHttpHeaders) => void;
  requests: RequestCounts;
}

/** ms between two log lines about the same outage. */
const outageInterval = 10_000;

/** Creates the server without routes: limits, request ids, the error envelope, the origin check, and request logging. */
export function createServer(options: Options) {
  const { log, publicUrl, addressOf, usesSession, acceptCookies, requests } = options;
  const reportForeign = createForeignProtocolLog(log, 'PORT');
  const app = fastify({
    loggerInstance: log,
    // Fastify's own log lines would contain URLs.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: nextRequestId,
    requestIdHeader: false,
    childLoggerFactory: requestLogger,
    bodyLimit: requestLimits.body,
    requestTimeout: requestLimits.requestTime,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: false },
    // Node would reject a missing Host without the error envelope, so the hook below rejects it instead.
    http: {
      maxHeaderSize: requestLimits.headers,
      headersTimeout: requestLimits.headersTime,
      requireHostHeader: false,
      // Skips the events of an empty body, which are an eighth of the cost of a small request.
      optimizeEmptyRequests: true,
      ServerResponse: PreformattedResponse,
    },
    clientErrorHandler: (error, socket) => rejectBrokenRequest(error, socket, reportForeign),
    // The path could not be decoded, so it matches no route.
    frameworkErrors: (_error, request, reply) => {
      reply.headers({ 'x-request-id': request.id, 'x-content-type-options': 'nosniff' });
      sendProblem(reply, { code: 'invalid_request', message: 'The path of the URL is not well formed.' });
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const text = readUtf8(request.headers['content-type'], body);
    if (text === null) return done(new RequestError(notUtf8));
    // Many clients send a content type with every POST, even without a body, such as for a revoke.
    if (text === '') return done(null, undefined);
    parseJson(request, text, done);
  });

  // A request whose body has ended, because it is empty or was read before, emits no end event, for which the parsers
  // would wait.
  app.addHook('preParsing', async ({ raw }, _reply, payload) =>
    raw.readableEnded ? replayBody(raw) : payload,
  );

  setDefaults(app.server);

  app.addHook('preValidation', rejectEmptyParameters);

  // Another site's form can send text/plain without a preflight, and no endpoint accepts it.
  app.removeContentTypeParser('text/plain');

  const own = allowedOrigins(publicUrl);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    acceptCookies(request.headers);
    const malformed = checkRequestForm(request.raw, request.raw.headersDistinct.host?.length ?? 0);
    if (malformed !== null) return sendProblem(reply, malformed);
    const problem = checkPreflight(request) ?? checkOrigin(request, own, usesSession);
    if (problem !== null) return sendProblem(reply, problem);
  });
  app.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    requests.recordResponse(
      { method, route: routeOptions.url ?? 'none' },
      reply.statusCode,
      reply.elapsedTime,
    );
  });
  // Without request logging, a request has no logging cost.
  if (logsRequests(log)) app.addHook('onResponse', logResponse(addressOf));
  handleErrors(app, log, requests);
  return app;
}

/** Sends errors of handlers, counts failed writes, and logs an outage once instead of for each request. */
function handleErrors(app: FastifyInstance, log: FastifyBaseLogger, requests: RequestCounts): void {
  const logOutage = throttle(outageInterval, (error: DatabaseUnavailable, suppressed) =>
    log.error(
      { err: error, suppressed },
      error instanceof StorageUnavailable ? 'the storage is unavailable' : 'the database does not respond',
    ),
  );
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    // The framework closes the connection if it rejects a body, but bytes that arrive at a closed connection reset it,
    // and a client that is still sending would lose the response (RFC 9112 section 9.6). Node drops the rest of the body.
    // Only a client that has asked for it gets a response that closes the connection, and may then lose this response.
    if (reply.hasHeader('connection')) reply.header('connection', connectionOption(reply));
    if (!(error instanceof DatabaseUnavailable)) return sendProblem(reply, problemOf(error, request));
    logOutage(error);
    if (!['GET', 'HEAD'].includes(request.method)) requests.failedWrites += 1;
    return sendProblem(reply, unavailableProblem(error, request.method));
  });
}

/** What Node does with the connection after the response (RFC 9112 section 9.3). */
function connectionOption({ raw }: FastifyReply): 'keep-alive' | 'close' {
  return raw.shouldKeepAlive ? 'keep-alive' : 'close';
}

/** Returns 404 if a path parameter is empty, as after a trailing slash, because no id is empty. */
async function rejectEmptyParameters(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { '*': _rest, ...parameters } = z.looseObject({}).parse(request.params);
  if (Object.values(parameters).includes('')) reply.callNotFound();
}

/** The logger of a request, with the id that the client sent for it. */
function requestLogger(
  logger: FastifyBaseLogger,
  bindings: Record<string, unknown>,
  options: object,
  request: IncomingMessage,
): FastifyBaseLogger {
  return logger.child({ ...bindings, ...clientRequestId(request) }, options);
}

/** Replaces two defaults of Node. */
function setDefaults(server: Server): void {
  // By default Node reads only the first 1000 fields or, in newer versions, rejects a request with more, so a client
  // could hide the field in which a proxy names it. The maximum size of the header limits their number instead.
  server.maxHeadersCount = 0;

  // Node would respond 417 without the error envelope. RFC 9110 section 10.1.1 allows ignoring the field.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}

/**
 * Passes each request to `handle` before the framework sees it.
 *
 * @param handle responds to a request, or returns false and leaves it untouched. It can also pass a request to the
 *   framework later, even after it has read the body (storeBody)
 */
export function serveAheadOfFramework(
  app: FastifyInstance,
  handle: (request: IncomingMessage, response: PreformattedResponse, passOn: () => void) => boolean,
): void {
  const framework = app.server.listeners('request');
  app.server.removeAllListeners('request');
  app.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const passOn = () => {
      for (const listener of framework) Reflect.apply(listener, app.server, [request, response]);
    };
    if (!(response instanceof PreformattedResponse) || !handle(request, response, passOn)) passOn();
  });
}

function logResponse(addressOf: ClientAddress) {
  return async ({ log, method, routeOptions, raw }: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { statusCode: status, elapsedTime: ms } = reply;
    logRequest(log, { method, route: routeOptions.url ?? 'none', status, ms, address: addressOf(raw) });
  };
}

/** Maps an error to the problem that is sent. An unexpected error is a bug: it is logged and sent as a 500. */
function problemOf(error: FastifyError, request: FastifyRequest): ApiProblem {
  if (error instanceof RequestError) {
    if (error.problem.code === 'internal_error')
      request.log.error({ err: error }, 'request failed with an internal error');
    return error.problem;
  }
  if (hasZodFastifySchemaValidationErrors(error)) return invalid(error);
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return {
        code: 'payload_too_large',
        message: `The body is larger than ${request.routeOptions.bodyLimit ?? requestLimits.body} bytes.`,
      };
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return {
        code: 'unsupported_media_type',
        message: 'The body must be JSON, sent with Content-Type: application/json.',
      };
  }
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return { code: 'invalid_request', message: 'The body is not well-formed JSON.' };
  }
  request.log.error({ err: error }, 'request failed with an internal error');
  return internalError(request.id);
}

const notUtf8: ApiProblem = {
  code: 'invalid_request',
  message: 'The body is not UTF-8. Send JSON in UTF-8, with Content-Type: application/json.',
};

/** The parts of a request, by Fastify's names. */
const places: Record<string, string> = {
  body: 'body',
  querystring: 'query',
  params: 'path',
  headers: 'header',
};

function invalid(error: {
  validation: { instancePath: string; message?: string }[];
  validationContext?: string;
}): ApiProblem {
  const place = places[error.validationContext ?? ''] ?? 'request';
  const details: ProblemDetail[] = error.validation.map(({ instancePath, message = 'is invalid' }) => ({
    path: redactKeys(instancePath.replace(/^\//, '').replaceAll('/', '.')) || place,
    // zod includes the names of unknown fields in its message, and a client may have sent a key as one.
    problem: redactKeys(message),
  }));
  const fields = details.map((detail) => `${detail.path} ${detail.problem}`).join('; ');
  return { code: 'invalid_request', message: `The ${place} is not valid: ${fields}.`, details };
}
