import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { refuse } from '../http/errors.ts';
import { refusals } from '../http/openapi.ts';
import { notForYou } from '../http/operators.ts';
import type { Metrics, Sources } from './registry.ts';

interface Options {
  sources: Sources;
  /** Whether a request comes from whoever runs this deployment. */
  isOperator: (request: FastifyRequest) => boolean;
}

/** Numbers for Prometheus, for whoever runs this deployment. */
export const metricsRoutes: FastifyPluginAsyncZod<Options> = async (app, { sources, isOperator }) => {
  let metrics: Promise<Metrics> | undefined;
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
      if (!isOperator(request)) return refuse(reply, { code: 'not_found', message: notForYou });
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
