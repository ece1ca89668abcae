import type { FastifyBaseLogger } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Database } from '../database/open.ts';
import { type StorageProblem, StorageUnavailable } from '../database/unavailable.ts';
import { errorResponses } from '../http/openapi.ts';
import { storageProblems } from '../http/unavailable.ts';
import type { NodeStatus } from '../propagation/node.ts';

interface Options {
  /** Asked only with a file: it answers within the call, so it cannot be waited for. */
  database: Pick<Database, 'ping'>;
  /** Of this process; absent with a file, which one process has alone. */
  nodeStatus: (() => NodeStatus) | undefined;
  isStopping: () => boolean;
}

const tags = ['Service'];
const statusSchema = z.object({ status: z.enum(['ok', 'unavailable']) });

/** Why a server is not ready, in words without a path or a host: everybody may ask. */
const reasons = {
  stopping: 'The server is about to stop.',
  no_lease: 'PostgreSQL has not answered in time, so the server has no lease.',
  database_unavailable: 'The database does not answer.',
  disk_full: storageProblems.full,
  storage_read_only: storageProblems.readOnly,
  storage_failed: storageProblems.failed,
  data_directory_lost: storageProblems.lost,
  disk_silent: storageProblems.silent,
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
const unreadinessSchema = readinessSchema.extend({
  reason: reasonSchema.describe('Why it is not ready'),
  message: z.string().describe('The same in words, and what to do'),
});

/** For load balancers and service managers: is the process alive, and can it do its work? */
export const healthRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  const { nodeStatus, isStopping } = options;
  const problemOf = fileWatch(options.database, app.log);
  app.route({
    method: 'GET',
    url: '/healthz',
    schema: {
      operationId: 'getHealth',
      summary: 'Is the process alive?',
      description: 'Does not look at the database: restart the process when this fails.',
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
      summary: 'Can the process serve requests?',
      description:
        'Yes if PostgreSQL gave it a lease, or the SQLite file can be written, and it is not about to stop.',
      tags,
      security: [],
      response: { 200: readinessSchema, ...errorResponses(), 503: unreadinessSchema },
    },
    handler: async (_request, reply) => {
      reply.header('cache-control', 'no-store');
      const status = nodeStatus?.();
      // A lease proves that PostgreSQL answered within the last 1.8 s. To ask it here would wait for connections that
      // other calls may hold, and let everybody who may ask this take them.
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

/** What keeps the file from being used. Of failures in a row the first is logged: some ask several times a second. */
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
