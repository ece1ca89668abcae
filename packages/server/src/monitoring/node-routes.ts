import { type NodeEntry, nodeListSchema } from '@soku/contract/nodes';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { sendProblem } from '../http/errors.ts';
import { errorResponses, operatorSecurity } from '../http/openapi.ts';
import type { OperatorCheck } from './operators.ts';

interface Options {
  list: () => NodeEntry[];
  checkOperator: OperatorCheck;
}

/** The processes that verify keys, for whoever runs them. */
export const nodeRoutes: FastifyPluginAsyncZod<Options> = async (app, { list, checkOperator }) => {
  app.route({
    method: 'GET',
    url: '/v1/nodes',
    schema: {
      operationId: 'listNodes',
      summary: 'List the servers',
      description:
        'All processes that share the database, as the one sees them that answers; it answers also when the database does not. For programs on the same machine; with SOKU_METRICS_TOKEN set, for whoever sends that as `Authorization: Bearer`. Anybody else gets a 404, and a 429 after too many wrong tokens.',
      tags: ['Service'],
      security: operatorSecurity,
      response: { 200: nodeListSchema, ...errorResponses('not_found', 'rate_limited') },
    },
    handler: async (request, reply) => {
      const refusal = checkOperator(request);
      if (refusal !== null) return sendProblem(reply, refusal);
      return reply.header('cache-control', 'no-store').send({ data: list() });
    },
  });
};
