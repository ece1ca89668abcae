import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { refuse } from '../http/errors.ts';
import { refusals } from '../http/openapi.ts';
import { notForYou } from '../http/operators.ts';
import { type NodeEntry, nodeListSchema } from './schemas.ts';

interface Options {
  list: () => NodeEntry[];
  /** Whether a request comes from whoever runs this deployment. */
  isOperator: (request: FastifyRequest) => boolean;
}

/** The processes that verify keys, for whoever runs them. */
export const nodeRoutes: FastifyPluginAsyncZod<Options> = async (app, { list, isOperator }) => {
  app.route({
    method: 'GET',
    url: '/v1/nodes',
    schema: {
      operationId: 'listNodes',
      summary: 'List the servers',
      description:
        'All processes that share the database, as the one sees them that answers; it answers also when the database does not. For programs on the same machine; with SOKU_METRICS_TOKEN set, for whoever sends that as `Authorization: Bearer`. Anybody else is told that there is nothing here.',
      tags: ['Service'],
      response: { 200: nodeListSchema, ...refusals('not_found') },
    },
    handler: async (request, reply) => {
      if (!isOperator(request)) return refuse(reply, { code: 'not_found', message: notForYou });
      return reply.header('cache-control', 'no-store').send({ data: list() });
    },
  });
};
