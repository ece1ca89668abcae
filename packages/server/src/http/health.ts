import type { FastifyBaseLogger } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Database } from '../database/open.ts';
import type { NodeStatus } from '../revocation/node.ts';

interface Options {
  /** Asked only with a file: it answers within the call, so it cannot be waited for. */
  database: Pick<Database, 'ping'>;
  /** Of this process; absent with a file, which one process has alone. */
  nodeStatus: (() => NodeStatus) | undefined;
  isStopping: () => boolean;
}

const tags = ['Service'];
const statusSchema = z.object({ status: z.enum(['ok', 'unavailable']) });
/** Everybody may ask, so it has the random id of the process, and not its name, which tells the host. */
const readinessSchema = statusSchema.extend({
  node: z.string().optional().describe('Random id of this process. With PostgreSQL, as the fields below'),
  lease: z
    .object({ remainingMs: z.int() })
    .optional()
    .describe('For how long it may answer from memory; renewed several times a lease. 0: not at all'),
  feed: z
    .object({ appliedSeq: z.int(), lag: z.int() })
    .optional()
    .describe('The newest change of keys that it has applied, and how many it knows of and has not'),
});

/** For load balancers and service managers: is the process alive, and can it do its work? */
export const healthRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  const { nodeStatus, isStopping } = options;
  const isAnswering = fileWatch(options.database, app.log);
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
      summary: 'Can it serve? (the database answers or gave it a lease, and it is not about to stop)',
      tags,
      response: { 200: readinessSchema, 503: readinessSchema },
    },
    handler: async (_request, reply) => {
      reply.header('cache-control', 'no-store');
      const status = nodeStatus?.();
      // A lease proves that PostgreSQL answered within the last 1.8 s. To ask it here would wait for connections that
      // other calls may hold, and let everybody who may ask this take them.
      const answers = status === undefined ? await isAnswering() : status.leaseMs > 0;
      const ready = answers && !isStopping();
      const body = status === undefined ? {} : describe(status);
      if (ready) return { status: 'ok' as const, ...body };
      return reply.code(503).send({ status: 'unavailable' as const, ...body });
    },
  });
};

/** Looks whether the file answers. Of failures in a row the first is logged: some ask several times a second. */
function fileWatch(database: Pick<Database, 'ping'>, log: FastifyBaseLogger): () => Promise<boolean> {
  let failing = false;
  return async () => {
    try {
      await database.ping();
      failing = false;
    } catch (error) {
      if (!failing) log.error({ err: error }, 'the database does not answer');
      failing = true;
    }
    return !failing;
  };
}

function describe({ id, leaseMs, appliedSeq, lag }: NodeStatus) {
  return { node: id, lease: { remainingMs: Math.round(leaseMs) }, feed: { appliedSeq, lag } };
}
