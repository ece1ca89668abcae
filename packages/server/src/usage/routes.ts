import { keyIdSchema } from '@soku/contract/keys';
import { descendantsSchema } from '@soku/contract/revocations';
import {
  usageQuerySchema,
  usageSchema,
  workspaceUsageQuerySchema,
  workspaceUsageSchema,
} from '@soku/contract/usage';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Callers, workspaceHeader } from '../http/caller.ts';
import { keyErrorResponses } from '../http/openapi.ts';
import { usageHistoryRoutes } from './history-routes.ts';
import type { UsageHistoryService } from './history-service.ts';
import type { UsageService } from './service.ts';
import type { WorkspaceUsageService } from './workspace-service.ts';

/** The usage of a workspace and of its keys. */
export const usageRoutes: FastifyPluginAsyncZod<{
  usage: UsageService;
  workspaceUsage: WorkspaceUsageService;
  history: UsageHistoryService;
  callers: Callers;
}> = async (app, { usage, workspaceUsage, history, callers }) => {
  await app.register(usageHistoryRoutes, { history, callers });

  app.route({
    method: 'GET',
    url: '/v1/usage',
    schema: {
      operationId: 'getUsage',
      summary: 'Get the usage of the workspace today and yesterday',
      description:
        'Scope: `keys:read`. Includes all requests up to this moment. Rejected requests count if their key is known. In a workspace with very many keys, a ranking is reused for 20 times as long as it took to compute; its counts are current.',
      tags: ['Workspace'],
      security: [{ key: [] }, { session: [] }],
      headers: workspaceHeader,
      querystring: workspaceUsageQuerySchema,
      response: {
        200: workspaceUsageSchema,
        ...keyErrorResponses('insufficient_scope', 'not_found', 'verification_unavailable'),
      },
    },
    ...callers.require('keys:read'),
    handler: async (request) => workspaceUsage.get(callers.of(request).workspaceId, request.query.dayStart),
  });

  app.route({
    method: 'GET',
    url: '/v1/api-keys/:id/usage',
    schema: {
      operationId: 'getKeyUsage',
      summary: 'Get the hourly usage of a key',
      description:
        'Scope: `keys:read`. Includes all requests up to this moment. Usage is kept for 90 days, or as configured (`SOKU_USAGE_RETENTION_DAYS`).',
      tags: ['API keys'],
      security: [{ key: [] }, { session: [] }],
      headers: workspaceHeader,
      params: z.object({ id: keyIdSchema }),
      querystring: usageQuerySchema,
      response: {
        200: usageSchema,
        ...keyErrorResponses('insufficient_scope', 'not_found', 'verification_unavailable'),
      },
    },
    ...callers.require('keys:read'),
    handler: async (request) =>
      usage.get(callers.of(request).workspaceId, request.params.id, request.query.hours),
  });

  app.route({
    method: 'GET',
    url: '/v1/api-keys/:id/descendants',
    schema: {
      operationId: 'getKeyDescendants',
      summary: 'Get the descendants of a key',
      description:
        'Scope: `keys:read`. Summarizes the keys that a revoke with descendants would also revoke: the keys that this key created, the keys that those created, and so on.',
      tags: ['API keys'],
      security: [{ key: [] }, { session: [] }],
      headers: workspaceHeader,
      params: z.object({ id: keyIdSchema }),
      response: {
        200: descendantsSchema,
        ...keyErrorResponses('insufficient_scope', 'not_found', 'verification_unavailable'),
      },
    },
    ...callers.require('keys:read'),
    handler: async (request) => usage.getForDescendants(callers.of(request).workspaceId, request.params.id),
  });
};
