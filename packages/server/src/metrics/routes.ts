import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ClientAddress } from '../http/client-address.ts';
import { refuse } from '../http/errors.ts';
import { refusals } from '../http/openapi.ts';
import type { Metrics, Sources } from './registry.ts';

interface Options {
  sources: Sources;
  /** Without it only programs on this machine may ask. */
  token: string | undefined;
  addressOf: ClientAddress;
  /** Whether a request comes from a proxy that is believed. */
  trusts: (request: IncomingMessage) => boolean;
}

/** Numbers for Prometheus, for whoever runs this deployment. */
export const metricsRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  const { sources, token } = options;
  let metrics: Promise<Metrics> | undefined;
  const mayAsk = token === undefined ? isLocal(options) : holds(token);
  app.route({
    method: 'GET',
    url: '/metrics',
    schema: {
      operationId: 'getMetrics',
      summary: 'Metrics in Prometheus’ format',
      description:
        'For programs on the same machine; with SOKU_METRICS_TOKEN set, for whoever sends that as `Authorization: Bearer`. Anybody else is told that there is nothing here.',
      tags: ['Service'],
      response: {
        200: { description: 'The metrics', content: { 'text/plain': { schema: z.string() } } },
        ...refusals('not_found'),
      },
    },
    handler: async (request, reply) => {
      if (!mayAsk(request)) return refuse(reply, { code: 'not_found', message: notForYou });
      // The library is loaded when somebody asks: a deployment without Prometheus does not pay for it.
      metrics ??= import('./registry.ts').then(({ createMetrics }) => createMetrics(sources));
      const { contentType, text } = await metrics;
      return reply
        .header('cache-control', 'no-store')
        .type(contentType)
        .serializer(String)
        .send(await text());
    },
  });
};

const notForYou =
  'Metrics are told to programs on the same machine, or, when SOKU_METRICS_TOKEN is set, to whoever sends it as Authorization: Bearer.';

function holds(token: string): (request: FastifyRequest) => boolean {
  // Hashed, so that both have one length, and the comparison tells nothing by its time.
  const right = digest(`Bearer ${token}`);
  return (request) => timingSafeEqual(digest(request.headers.authorization ?? ''), right);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Fields that proxies add. With one of an untrusted proxy the address is the proxy's, and says nothing. */
const forwarded = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'];

function isLocal({ addressOf, trusts }: Options): (request: FastifyRequest) => boolean {
  return ({ raw, headers }) => {
    const address = addressOf(raw);
    const local = isIP(address) === 4 ? address.startsWith('127.') : address === '::1';
    return local && (trusts(raw) || !forwarded.some((name) => name in headers));
  };
}
