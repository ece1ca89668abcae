import { descendantsSchema, keyIdSchema } from '@soku/contract/keys';
import { usageQuerySchema, usageSchema } from '@soku/contract/usage';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Callers, workspaceHeader } from '../http/caller.ts';
import { keyErrorResponses } from '../http/openapi.ts';
import type { UsageService } from './service.ts';

/** The usage of a key, for its workspace. */
export const usageRoutes: FastifyPluginAsyncZod<{ usage: UsageService; callers: Callers }> = async (
  app,
  { usage, callers },
) => {
  app.route({
    method: 'GET',
    url: '/v1/api-keys/:id/usage',
    schema: {
      operationId: 'getKeyUsage',
      summary: 'Get the hourly usage of a key',
      description: 'Scope: `keys:read`. Includes all requests up to this moment. Usage is kept for 90 days.',
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
