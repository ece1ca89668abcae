import {
  keyRevocationSchema,
  revokedKeySchema,
  revokedKeysSchema,
  revokedWorkspaceSchema,
  revokeKeySchema,
  revokeKeysSchema,
} from '@soku/contract/revocations';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Callers, idempotencyHeader, workspaceHeader } from '../http/caller.ts';
import { callerIds, type LogEvent } from '../http/event-log.ts';
import { keyErrorResponses } from '../http/openapi.ts';
import type { WorkspaceRevoker } from './revoke-all.ts';
import type { RevokeService } from './revoke-service.ts';
import { changeErrors, idParams, security, tags } from './route-parts.ts';

const revokeHeaders = workspaceHeader.extend({
  'idempotency-key': idempotencyHeader['idempotency-key'].describe(
    'With `all`: a repeated call with the same value within 24 hours revokes only the keys of the first call',
  ),
});

/** The endpoints that revoke keys. */
export const revokeRoutes: FastifyPluginAsyncZod<{
  revocations: RevokeService;
  revoker: WorkspaceRevoker;
  callers: Callers;
  logEvent: LogEvent;
}> = async (app, { revocations, revoker, callers, logEvent }) => {
  app.route({
    method: 'POST',
    url: '/v1/api-keys/:id/revoke',
    schema: {
      operationId: 'revokeKey',
      summary: 'Revoke a key permanently',
      description:
        'Scope: `keys:write`. Returns when no server accepts the key or the descendants revoked with it anymore. A repeated call returns the same result, with the reason of the first one. A key without `keys:read` that revokes another key receives a `KeyRevocation`.',
      tags,
      security,
      headers: workspaceHeader,
      params: idParams,
      body: revokeKeySchema.nullish(),
      response: {
        200: z.union([revokedKeySchema, keyRevocationSchema]),
        ...keyErrorResponses(...changeErrors, 'too_many_descendants'),
      },
    },
    ...callers.require('keys:write'),
    handler: async (request) => {
      const { reason = null, descendants = false } = request.body ?? {};
      const options = { reason, descendants };
      const revoked = await revocations.revoke(callers.of(request), request.params.id, options);
      const { id: keyId, revocation } = revoked;
      const ids = { ...callerIds(callers.of(request)), keyId, descendants: revocation.descendants };
      logEvent(request, 'key revoked', ids);
      return revoked;
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/api-keys/revoke',
    schema: {
      operationId: 'revokeKeys',
      summary: 'Revoke several keys permanently',
      description:
        'Scope: `keys:write`. Revokes all of the keys in `ids` or none, and returns when no server accepts any of them anymore. If the workspace lacks one of the ids, the call returns 404 with these ids in `details`, and revokes nothing. A repeated call is harmless. `{"all": true}` revokes every key of the workspace. It requires a session, and returns only the number of keys. All of them are rejected within milliseconds; the call returns when each is stored as revoked, which takes a few seconds for every 10,000 keys. A repeated call with the same `Idempotency-Key` revokes no keys that were created in the meantime.',
      tags,
      security,
      headers: revokeHeaders,
      body: revokeKeysSchema,
      response: {
        200: z.union([revokedKeysSchema, revokedWorkspaceSchema]),
        ...keyErrorResponses(...changeErrors, 'session_required'),
      },
    },
    ...callers.require('keys:write'),
    handler: async (request) => {
      const { ids, reason = null } = request.body;
      const caller = callers.of(request);
      if (ids === undefined) {
        const token = request.headers['idempotency-key'] ?? null;
        const result = await revoker.revokeAll(caller, reason, token);
        logEvent(request, 'keys revoked', { ...callerIds(caller), keys: result.revoked });
        return result;
      }
      const result = await revocations.revokeMany(caller, ids, reason);
      logEvent(request, 'keys revoked', { ...callerIds(caller), keys: result.revoked.length });
      return result;
    },
  });
};
