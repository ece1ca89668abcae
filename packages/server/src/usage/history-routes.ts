import { Readable } from 'node:stream';
import { keyIdSchema } from '@soku/contract/keys';
import {
  type UsageHistory,
  usageCsvQuerySchema,
  usageHistoryQuerySchema,
  usageHistorySchema,
} from '@soku/contract/usage-history';
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Callers, workspaceHeader } from '../http/caller.ts';
import { keyErrorResponses } from '../http/openapi.ts';
import { clientLines, inChunks, requestLines } from './history-csv.ts';
import type { UsageHistoryService } from './history-service.ts';

const security = [{ key: [] }, { session: [] }];
const rejections = keyErrorResponses('insufficient_scope', 'not_found', 'verification_unavailable');

const description =
  'Scope: `keys:read`. By hour or by day, for as long as usage is kept (`SOKU_USAGE_RETENTION_DAYS`). Includes all requests up to this moment.';
const csvDescription =
  'Scope: `keys:read`. Times are UTC. A text that a spreadsheet would run as a formula is preceded by an apostrophe.';

const csv = {
  description: 'A table with a header line',
  // A string in the OpenAPI document; the handler sends a stream.
  content: { 'text/csv': { schema: z.unknown().meta({ type: 'string' }) } },
};

function sendCsv(reply: FastifyReply, history: UsageHistory, table: 'requests' | 'clients'): FastifyReply {
  reply.type('text/csv; charset=utf-8');
  reply.header('content-disposition', `attachment; filename="usage-${table}.csv"`);
  reply.header('cache-control', 'no-store');
  return reply.send(
    Readable.from(inChunks(table === 'clients' ? clientLines(history) : requestLines(history))),
  );
}

/** The usage of a workspace and of its keys over time. */
export const usageHistoryRoutes: FastifyPluginAsyncZod<{
  history: UsageHistoryService;
  callers: Callers;
}> = async (app, { history, callers }) => {
  const shared = { security, headers: workspaceHeader };
  const ofWorkspace = { ...shared, tags: ['Workspace'] };
  const ofKey = { ...shared, tags: ['API keys'], params: z.object({ id: keyIdSchema }) };

  app.route({
    method: 'GET',
    url: '/v1/usage/history',
    schema: {
      ...ofWorkspace,
      operationId: 'getUsageHistory',
      summary: 'Get the usage of the workspace over time',
      description,
      querystring: usageHistoryQuerySchema,
      response: { 200: usageHistorySchema, ...rejections },
    },
    ...callers.require('keys:read'),
    handler: async (request) => history.ofWorkspace(callers.of(request).workspaceId, request.query),
  });

  app.route({
    method: 'GET',
    url: '/v1/usage.csv',
    schema: {
      ...ofWorkspace,
      operationId: 'exportUsage',
      summary: 'Export the usage of the workspace as CSV',
      description: csvDescription,
      querystring: usageCsvQuerySchema,
      response: { 200: csv, ...rejections },
    },
    exposeHeadRoute: false,
    ...callers.require('keys:read'),
    handler: async (request, reply) => {
      const { table, ...query } = request.query;
      return sendCsv(reply, await history.ofWorkspace(callers.of(request).workspaceId, query), table);
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/api-keys/:id/usage/history',
    schema: {
      ...ofKey,
      operationId: 'getKeyUsageHistory',
      summary: 'Get the usage of a key over time',
      description,
      querystring: usageHistoryQuerySchema,
      response: { 200: usageHistorySchema, ...rejections },
    },
    ...callers.require('keys:read'),
    handler: async (request) =>
      history.ofKey(callers.of(request).workspaceId, request.params.id, request.query),
  });

  app.route({
    method: 'GET',
    url: '/v1/api-keys/:id/usage.csv',
    schema: {
      ...ofKey,
      operationId: 'exportKeyUsage',
      summary: 'Export the usage of a key as CSV',
      description: csvDescription,
      querystring: usageCsvQuerySchema,
      response: { 200: csv, ...rejections },
    },
    exposeHeadRoute: false,
    ...callers.require('keys:read'),
    handler: async (request, reply) => {
      const { table, ...query } = request.query;
      const { workspaceId } = callers.of(request);
      return sendCsv(reply, await history.ofKey(workspaceId, request.params.id, query), table);
    },
  });
};
