import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { sendProblem } from '../http/errors.ts';
import { errorResponses, operatorSecurity } from '../http/openapi.ts';
import type { OperatorCheck } from './operators.ts';
import type { MetricSources, Metrics } from './registry.ts';

interface Options {
  sources: MetricSources;
  checkOperator: OperatorCheck;
}

/** Metrics for Prometheus, for operators. */
export const metricsRoutes: FastifyPluginAsyncZod<Options> = async (app, { sources, checkOperator }) => {
  let metrics: Promise<Metrics> | undefined;
  app.route({
    method: 'GET',
    url: '/metrics',
    schema: {
      operationId: 'getMetrics',
      summary: 'Read metrics in Prometheus’ format',
      description:
        'If SOKU_METRICS_TOKEN is set, requires this token as `Authorization: Bearer`; otherwise available only to programs on the same machine. Other callers get a 404, and a 429 after too many wrong tokens.',
      tags: ['Service'],
      security: operatorSecurity,
      response: {
        200: { description: 'The metrics', content: { 'text/plain': { schema: z.string() } } },
        ...errorResponses('not_found', 'rate_limited'),
      },
    },
    handler: async (request, reply) => {
      const problem = checkOperator(request);
      if (problem !== null) return sendProblem(reply, problem);
      // The library is loaded on demand, so that a deployment without Prometheus does not pay for it.
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
