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
import { checkForm, rejectBrokenRequest, requestLimits } from './broken-requests.ts';
import type { ClientAddress } from './client-address.ts';
import { type ApiProblem, type Detail, internalError, RequestError, sendProblem } from './errors.ts';
import { atMostEvery, logAnswered, logsRequests } from './logging.ts';
import { checkOrigin, checkPreflight, ownOrigins } from './origin.ts';
import { PreformattedResponse } from './preformatted-response.ts';
import { bodyAgain } from './read-body.ts';
import type { RequestCounts } from './request-counts.ts';
import { clientRequestId, nextRequestId } from './request-ids.ts';
import { unavailable } from './unavailable.ts';
import { readUtf8 } from './utf8.ts';

interface Options {
  log: FastifyBaseLogger;
  publicUrl: string;
  addressOf: ClientAddress;
  /** Whether a management call is that of a person with a session. */
  usesSession: (request: IncomingMessage) => boolean;
  /** Called before anything reads the headers: gives cookies of earlier versions the names of today. */
  acceptCookies: (headers: IncomingHttpHeaders) => void;
  requests: RequestCounts;
}

/** ms between two lines that tell of the same outage. */
const outageInterval = 10_000;

/** The bare server: limits, request ids, the error envelope, the origin check, and one log line a request. */
export function createServer(options: Options) {
  const { log, publicUrl, addressOf, usesSession, acceptCookies, requests } = options;
  const app = fastify({
    loggerInstance: log,
    // Its own lines would hold URLs.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: nextRequestId,
    requestIdHeader: false,
    childLoggerFactory: requestLogger,
    bodyLimit: requestLimits.body,
    requestTimeout: requestLimits.requestTime,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: false },
    // Node itself would answer a missing Host, without our envelope; the hook below does it.
    http: {
      maxHeaderSize: requestLimits.headers,
      headersTimeout: requestLimits.headersTime,
      requireHostHeader: false,
      // Saves the events of a body that never comes: an eighth of all that a small request costs.
      optimizeEmptyRequests: true,
      ServerResponse: PreformattedResponse,
    },
    clientErrorHandler: (error, socket) => rejectBrokenRequest(error, socket),
    // The path could not be decoded, so it has no route.
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
    // Many clients name a content type on every POST, also on one without a body, such as a revoke.
    if (text === '') return done(null, undefined);
    parseJson(request, text, done);
  });

  // A request whose body is at its end, because it is empty or was read before, tells no end, which the parsers would
  // wait for.
  app.addHook('preParsing', async ({ raw }, _reply, payload) =>
    raw.readableEnded ? bodyAgain(raw) : payload,
  );

  setDefaults(app.server);

  app.addHook('preValidation', findNoEmptyId);

  // A form of another site can send text/plain without a preflight. Nothing here takes it.
  app.removeContentTypeParser('text/plain');

  const own = ownOrigins(publicUrl);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    acceptCookies(request.headers);
    const malformed = checkForm(request.raw, request.raw.headersDistinct.host?.length ?? 0);
    if (malformed !== null) return sendProblem(reply, malformed);
    const refusal = checkPreflight(request) ?? checkOrigin(request, own, usesSession);
    if (refusal !== null) return sendProblem(reply, refusal);
  });
  app.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    requests.answered({ method, route: routeOptions.url ?? 'none' }, reply.statusCode, reply.elapsedTime);
  });
  // A quiet log costs a request nothing.
  if (logsRequests(log)) app.addHook('onResponse', logAnswer(addressOf));
  answerErrors(app, log, requests);
  return app;
}

/** Answers what a handler throws, counts failed writes, and logs an outage once and not with each request. */
function answerErrors(app: FastifyInstance, log: FastifyBaseLogger, requests: RequestCounts): void {
  const logOutage = atMostEvery(outageInterval, (error: DatabaseUnavailable, unsaid) =>
    log.error(
      { err: error, unsaid },
      error instanceof StorageUnavailable ? 'the storage is unavailable' : 'the database does not answer',
    ),
  );
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    if (!(error instanceof DatabaseUnavailable)) return sendProblem(reply, refusalOf(error, request));
    logOutage(error);
    if (!['GET', 'HEAD'].includes(request.method)) requests.failedWrites += 1;
    return sendProblem(reply, unavailable(error, request.method));
  });
}

/** A parameter can be empty where a path ends in a slash, and no id is. */
async function findNoEmptyId(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { '*': _rest, ...parameters } = z.looseObject({}).parse(request.params);
  if (Object.values(parameters).includes('')) reply.callNotFound();
}

/** The log of a request, with what the client calls it. */
function requestLogger(
  logger: FastifyBaseLogger,
  bindings: Record<string, unknown>,
  options: object,
  request: IncomingMessage,
): FastifyBaseLogger {
  return logger.child({ ...bindings, ...clientRequestId(request) }, options);
}

/** What Node would do otherwise by itself. */
function setDefaults(server: Server): void {
  // It reads only the first 1000 fields or, in newer versions, rejects a request with more. A client could so hide the
  // field in which a proxy names it. Their number is bounded by the size of the header.
  server.maxHeadersCount = 0;

  // It would answer 417, without our envelope. RFC 9110 section 10.1.1 lets a server pass over it.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}

/**
 * Lets `handle` have each request before the framework does.
 *
 * @param handle answers a request, or returns false and has not touched it. What it has read the body of (keepBody) it
 *   can still pass on to the framework later
 */
export function serveAhead(
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

function logAnswer(addressOf: ClientAddress) {
  return async ({ log, method, routeOptions, raw }: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { statusCode: status, elapsedTime: ms } = reply;
    logAnswered(log, { method, route: routeOptions.url ?? 'none', status, ms, address: addressOf(raw) });
  };
}

/** Turns what was thrown into what is answered. What is not foreseen here is a bug: logged, and told as a 500. */
function refusalOf(error: FastifyError, request: FastifyRequest): ApiProblem {
  if (error instanceof RequestError) {
    if (error.refusal.code === 'internal_error') request.log.error({ err: error }, 'a request failed inside');
    return error.refusal;
  }
  if (hasZodFastifySchemaValidationErrors(error)) return invalid(error);
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { code: 'payload_too_large', message: `The body is larger than ${requestLimits.body} bytes.` };
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return {
        code: 'unsupported_media_type',
        message: 'The body must be JSON, sent with Content-Type: application/json.',
      };
  }
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return { code: 'invalid_request', message: 'The body is not well-formed JSON.' };
  }
  request.log.error({ err: error }, 'a request failed inside');
  return internalError(request.id);
}

const notUtf8: ApiProblem = {
  code: 'invalid_request',
  message: 'The body is not UTF-8. Send JSON in UTF-8, with Content-Type: application/json.',
};

/** The parts of a request, by Fastify's names for them. */
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
  const details: Detail[] = error.validation.map(({ instancePath, message = 'is wrong' }) => ({
    path: redactKeys(instancePath.replace(/^\//, '').replaceAll('/', '.')) || place,
    // zod names unknown fields in its message, and a client may have put a key there.
    problem: redactKeys(message),
  }));
  const fields = details.map((detail) => `${detail.path} ${detail.problem}`).join('; ');
  return { code: 'invalid_request', message: `The ${place} is not valid: ${fields}.`, details };
}
