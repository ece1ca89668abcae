import { type NodeEntry, nodeListSchema } from '@soku/contract/nodes';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { sendProblem } from '../http/errors.ts';
import { errorResponses, operatorSecurity } from '../http/openapi.ts';
import type { OperatorCheck } from './operators.ts';

interface Options {
  list: () => NodeEntry[];
  checkOperator: OperatorCheck;
}

/** The list of servers, for operators. */
export const nodeRoutes: FastifyPluginAsyncZod<Options> = async (app, { list, checkOperator }) => {
  app.route({
    method: 'GET',
    url: '/v1/nodes',
    schema: {
      operationId: 'listNodes',
      summary: 'List the servers',
      description:
        'All processes that share the database, as seen by the responding one. Also works while the database is down. Available to programs on the same machine or, if SOKU_METRICS_TOKEN is set, with this token as `Authorization: Bearer`. Other callers get a 404, and a 429 after too many wrong tokens.',
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
