import { keyRevocationSchema, revokedKeySchema, revokeKeySchema } from '@soku/contract/keys';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Callers, workspaceHeader } from '../http/caller.ts';
import { callerIds, type LogEvent } from '../http/event-log.ts';
import { keyErrorResponses } from '../http/openapi.ts';
import type { RevokeService } from './revoke-service.ts';
import { changing, idParams, security, tags } from './route-parts.ts';

/** The endpoints that revoke keys. */
export const revokeRoutes: FastifyPluginAsyncZod<{
  revocations: RevokeService;
  callers: Callers;
  logEvent: LogEvent;
}> = async (app, { revocations, callers, logEvent }) => {
  app.route({
    method: 'POST',
    url: '/v1/api-keys/:id/revoke',
    schema: {
      operationId: 'revokeKey',
      summary: 'Revoke a key permanently',
      description:
        'Scope: `keys:write`. Returns when no server accepts the key or the descendants revoked with it anymore. A repeated call returns the same result. A key without `keys:read` that revokes another key receives a `KeyRevocation`.',
      tags,
      security,
      headers: workspaceHeader,
      params: idParams,
      body: revokeKeySchema.nullish(),
      response: {
        200: z.union([revokedKeySchema, keyRevocationSchema]),
        ...keyErrorResponses(...changing, 'too_many_descendants'),
      },
    },
    ...callers.require('keys:write'),
    handler: async (request) => {
      const descendants = request.body?.descendants === true;
      const revoked = await revocations.revoke(callers.of(request), request.params.id, descendants);
      const { id: keyId, revocation } = revoked;
      const ids = { ...callerIds(callers.of(request)), keyId, descendants: revocation.descendants };
      logEvent(request, 'key revoked', ids);
      return revoked;
    },
  });
};
