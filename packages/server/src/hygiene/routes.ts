import { hygieneSchema, listHygieneSchema } from '@soku/contract/hygiene';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { type Callers, workspaceHeader } from '../http/caller.ts';
import { keyErrorResponses } from '../http/openapi.ts';
import type { HygieneService } from './service.ts';

/** The report of keys that someone should look at. */
export const hygieneRoutes: FastifyPluginAsyncZod<{ hygiene: HygieneService; callers: Callers }> = async (
  app,
  { hygiene, callers },
) => {
  app.route({
    method: 'GET',
    url: '/v1/hygiene',
    schema: {
      operationId: 'getHygiene',
      summary: 'List keys that need attention',
      description:
        'Scope: `keys:read`. Valid keys that have an unfinished rotation or secrets older than the maximum age of the workspace, that are unused or unrestricted, that expire later than the maximum lifetime of the workspace allows, or that never expire. A key can be listed with several kinds.',
      tags: ['API keys'],
      security: [{ key: [] }, { session: [] }],
      headers: workspaceHeader,
      querystring: listHygieneSchema,
      response: {
        200: hygieneSchema,
        ...keyErrorResponses('insufficient_scope', 'not_found', 'verification_unavailable'),
      },
    },
    ...callers.require('keys:read'),
    handler: async (request) => hygiene.list(callers.of(request).workspaceId, request.query),
  });
};
