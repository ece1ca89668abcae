import { type NodeEntry, nodeListSchema, serverCountsSchema } from '@soku/contract/nodes';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { AccountService } from '../accounts/account-service.ts';
import { authHeaders } from '../accounts/forward.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { type ApiProblem, sendProblem } from '../http/errors.ts';
import { errorResponses, operatorSecurity } from '../http/openapi.ts';
import type { OperatorCheck } from './operators.ts';

interface Options {
  list: () => NodeEntry[];
  checkOperator: OperatorCheck;
  accounts: Pick<AccountService, 'findSession'>;
  addressOf: ClientAddress;
}

/** The list of servers, for operators, and their number, for everyone who is signed in. */
export const nodeRoutes: FastifyPluginAsyncZod<Options> = async (
  app,
  { list, checkOperator, accounts, addressOf },
) => {
  app.route({
    method: 'GET',
    url: '/v1/nodes',
    schema: {
      operationId: 'listNodes',
      summary: 'List the servers',
      description:
        'All processes that share the database, as seen by the responding one. Also works while the database is down. If SOKU_METRICS_TOKEN is set, requires this token as `Authorization: Bearer`; otherwise available only to programs on the same machine. Other callers get a 404, and a 429 after too many wrong tokens.',
      tags: ['Service'],
      security: operatorSecurity,
      response: { 200: nodeListSchema, ...errorResponses('not_found', 'rate_limited') },
    },
    handler: async (request, reply) => {
      const problem = checkOperator(request);
      if (problem !== null) return sendProblem(reply, problem);
      return reply.header('cache-control', 'no-store').send({ data: list() });
    },
  });

  app.get(
    '/api/servers',
    { schema: { hide: true, response: { 200: serverCountsSchema } } },
    async (request, reply) => {
      const session = await accounts.findSession(authHeaders(request, addressOf(request.raw)));
      if (session === null) return sendProblem(reply, sessionEnded);
      const nodes = list();
      const ready = nodes.filter(({ state }) => state === 'ready').length;
      return reply.header('cache-control', 'no-store').send({ total: nodes.length, ready });
    },
  );
};

const sessionEnded: ApiProblem = { code: 'session_over', message: 'Your session has ended. Sign in again.' };
