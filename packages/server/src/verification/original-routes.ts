import { METHODS } from 'node:http';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { ClientAddress } from '../http/client-address.ts';
import { forwardAuthAnswer } from './answers.ts';
import { originalPrefix, originalTargets } from './original-request.ts';
import { give } from './routes.ts';
import type { Verifier } from './verifier.ts';

interface Options {
  verifier: Verifier;
  addressOf: ClientAddress;
}

/** CONNECT never becomes a request (Node gives it an event of its own). */
const methods = METHODS.filter((method) => method !== 'CONNECT');

/**
 * `ANY /v1/verify/*`: the answer of `GET /v1/verify` to a proxy that keeps the method and appends path and query of
 * the original request, and takes 200 alone for a yes. Envoy's ext_authz does, and so does everything built on it.
 *
 * All of the request but its Authorization belongs to the client of another API, so nothing else of it is judged:
 * no origin, no query, no body.
 */
export const originalRequestRoutes: FastifyPluginAsyncZod<Options> = async (app, { verifier, addressOf }) => {
  for (const method of methods) {
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
  }
  // Ahead of the handler, because the framework would judge the type of the body first. It stays unread: Envoy sends
  // one only when it is configured to, and Node discards it after the response.
  app.addHook('onRequest', async (request, reply) => {
    const ask = { targets: originalTargets, address: addressOf(request.raw) };
    const answer = forwardAuthAnswer(await verifier.verify(request.raw, ask), request.id, Date.now());
    return give(reply, answer.status === 204 ? { ...answer, status: 200 } : answer);
  });
  app.route({
    method: methods,
    url: `${originalPrefix}*`,
    exposeHeadRoute: false,
    schema: { hide: true },
    helmet: false,
    handler: async () => {
      throw new Error('the hook before this handler has responded');
    },
  });
};
