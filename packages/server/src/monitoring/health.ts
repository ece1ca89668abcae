import type { FastifyBaseLogger } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Database } from '../database/open.ts';
import { type StorageProblem, StorageUnavailable } from '../database/unavailable.ts';
import { errorResponses } from '../http/openapi.ts';
import { storageProblemTexts } from '../http/unavailable.ts';
import type { NodeStatus } from '../propagation/node-status.ts';

interface Options {
  /** Used only with SQLite, which responds synchronously, so this cannot exhaust connections. */
  database: Pick<Database, 'ping'>;
  /** Status of this process; absent with SQLite, which only one process uses. */
  nodeStatus: (() => NodeStatus) | undefined;
  isStopping: () => boolean;
}

const tags = ['Service'];
const statusSchema = z.object({ status: z.enum(['ok', 'unavailable']) });

/** Why a server is not ready. The texts contain no path and no host, because this endpoint is public. */
const reasons = {
  stopping: 'The server is stopping.',
  no_lease: 'PostgreSQL did not respond in time, so the server has no lease.',
  database_unavailable: 'The database does not respond.',
  disk_full: storageProblemTexts.full,
  storage_read_only: storageProblemTexts.readOnly,
  storage_failed: storageProblemTexts.failed,
  data_directory_lost: storageProblemTexts.lost,
  disk_silent: storageProblemTexts.silent,
};
type Reason = keyof typeof reasons;
const reasonSchema = z.enum(Object.keys(reasons).filter((name): name is Reason => name in reasons));

const reasonOf: Record<StorageProblem, Reason> = {
  full: 'disk_full',
  readOnly: 'storage_read_only',
  failed: 'storage_failed',
  lost: 'data_directory_lost',
  silent: 'disk_silent',
};

/** Public, so it contains the random ID of the process rather than its name, which reveals the host. */
const readinessSchema = statusSchema.extend({
  node: z
    .string()
    .optional()
    .describe('Random ID of this process. Present only with PostgreSQL, like `lease` and `feed`'),
  lease: z
    .object({ remainingMs: z.int() })
    .optional()
    .describe('Time for which it may verify from its cache; renewed several times per lease. 0: not at all'),
  feed: z
    .object({ appliedSeq: z.int(), lag: z.int() })
    .optional()
    .describe('The newest change that it has applied, and the number of known changes that it has not'),
});
const unreadinessSchema = readinessSchema.extend({
  reason: reasonSchema.describe('Why it is not ready'),
  message: z.string().describe('The reason as text, and what to do'),
});

/** Health checks for load balancers and service managers: liveness and readiness. */
export const healthRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  const { nodeStatus, isStopping } = options;
  const problemOf = fileWatch(options.database, app.log);
  app.route({
    method: 'GET',
    url: '/healthz',
    schema: {
      operationId: 'getHealth',
      summary: 'Check that the process is alive',
      description: 'Does not check the database. Restart the process when this fails.',
      tags,
      security: [],
      response: { 200: statusSchema, ...errorResponses() },
    },
    handler: async () => ({ status: 'ok' as const }),
  });

  app.route({
    method: 'GET',
    url: '/readyz',
    schema: {
      operationId: 'getReadiness',
      summary: 'Check that the process can serve requests',
      description:
        'Ready if it holds a lease from PostgreSQL, or the SQLite file is writable, and it is not stopping.',
      tags,
      security: [],
      response: { 200: readinessSchema, ...errorResponses(), 503: unreadinessSchema },
    },
    handler: async (_request, reply) => {
      reply.header('cache-control', 'no-store');
      const status = nodeStatus?.();
      // A lease proves that PostgreSQL responded within the last 1.8 s. A query here would wait for connections that
      // other calls hold, and anyone could exhaust them.
      const body = status === undefined ? {} : describe(status);
      const reason = isStopping()
        ? 'stopping'
        : status === undefined
          ? await problemOf()
          : leaseProblem(status);
      if (reason === undefined) return { status: 'ok' as const, ...body };
      return reply
        .code(503)
        .send({ status: 'unavailable' as const, ...body, reason, message: reasons[reason] });
    },
  });
};

/** Checks that the file is usable. Only the first of consecutive failures is logged, because checks are frequent. */
function fileWatch(
  database: Pick<Database, 'ping'>,
  log: FastifyBaseLogger,
): () => Promise<Reason | undefined> {
  let failing = false;
  return async () => {
    try {
      await database.ping();
      failing = false;
      return undefined;
    } catch (error) {
      if (!failing) log.error({ err: error }, 'not ready: the database cannot be used');
      failing = true;
      return error instanceof StorageUnavailable ? reasonOf[error.problem] : 'database_unavailable';
    }
  };
}

function leaseProblem({ leaseMs }: NodeStatus): Reason | undefined {
  return leaseMs > 0 ? undefined : 'no_lease';
}

function describe({ id, leaseMs, appliedSeq, lag }: NodeStatus) {
  return { node: id, lease: { remainingMs: Math.round(leaseMs) }, feed: { appliedSeq, lag } };
}
