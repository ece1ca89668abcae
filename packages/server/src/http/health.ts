import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Database } from '../database/open.ts';

const tags = ['Service'];
const statusSchema = z.object({ status: z.enum(['ok', 'unavailable']) });

/** For load balancers and service managers: is the process alive, and can it do its work? */
export const healthRoutes: FastifyPluginAsyncZod<{ database: Database }> = async (app, { database }) => {
  app.route({
    method: 'GET',
    url: '/healthz',
    schema: {
      operationId: 'getHealth',
      summary: 'Is the process alive?',
      tags,
      response: { 200: statusSchema },
    },
    handler: async () => ({ status: 'ok' as const }),
  });

  app.route({
    method: 'GET',
    url: '/readyz',
    schema: {
      operationId: 'getReadiness',
      summary: 'Can it serve? (the database answers)',
      tags,
      response: { 200: statusSchema, 503: statusSchema },
    },
    handler: async (_request, reply) => {
      try {
        await database.ping();
        return { status: 'ok' as const };
      } catch (error) {
        reply.log.error({ err: error }, 'the database does not answer');
        return reply.code(503).send({ status: 'unavailable' as const });
      }
    },
  });
};
