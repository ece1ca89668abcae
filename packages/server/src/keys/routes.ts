import { changeKeySchema, createKeySchema, listKeysSchema } from '@soku/contract/key-requests';
import { createdKeySchema, keyChangeSchema, keyListSchema, keySchema } from '@soku/contract/keys';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Callers, workspaceHeader } from '../http/caller.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { callerIds, type LogEvent } from '../http/event-log.ts';
import { keyErrorResponses } from '../http/openapi.ts';
import type { KeyIdentifier } from '../verification/key-identifier.ts';
import type { KeyListService } from './list-service.ts';
import type { WorkspaceRevoker } from './revoke-all.ts';
import { revokeRoutes } from './revoke-routes.ts';
import type { RevokeService } from './revoke-service.ts';
import { rotationRoutes } from './rotation-routes.ts';
import type { RotationService } from './rotation-service.ts';
import { changeErrors, createHeaders, idParams, readErrors, security, tags } from './route-parts.ts';
import { selfRevokeRoute } from './self-revoke-route.ts';
import type { KeyService } from './service.ts';

/** The management endpoints. Each requires a session, or a key with the scope named in its description. */
export const keyRoutes: FastifyPluginAsyncZod<{
  keys: KeyService;
  revocations: RevokeService;
  revoker: WorkspaceRevoker;
  rotation: RotationService;
  identifier: KeyIdentifier;
  addressOf: ClientAddress;
  lists: KeyListService;
  callers: Callers;
  logEvent: LogEvent;
}> = async (app, options) => {
  const { keys, lists, callers, logEvent } = options;

  app.route({
    method: 'POST',
    url: '/v1/api-keys',
    schema: {
      operationId: 'createKey',
      summary: 'Create a key',
      description: 'Scope: `keys:write`. Only this response contains the full key.',
      tags,
      security,
      headers: createHeaders,
      body: createKeySchema,
      response: {
        201: createdKeySchema,
        ...keyErrorResponses(
          ...changeErrors,
          'idempotency_replayed',
          'key_quota_reached',
          'recent_login_required',
        ),
      },
    },
    ...callers.require('keys:write', { recentLogin: true }),
    handler: async (request, reply) => {
      const caller = callers.of(request);
      const created = await keys.create(caller, request.body, request.headers['idempotency-key'] ?? null);
      logEvent(request, 'key created', { ...callerIds(caller), keyId: created.key.id });
      return reply.code(201).header('cache-control', 'no-store').send(created);
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/api-keys',
    schema: {
      operationId: 'listKeys',
      summary: 'List keys',
      description:
        'Scope: `keys:read`. All filters can be combined. Pagination stays stable while keys are added and used. With `sort=lastUsed`, a key that was idle when the first page was read, and is used in the meantime, moves: later pages may omit it, or with `order=asc` repeat it.',
      tags,
      security,
      headers: workspaceHeader,
      querystring: listKeysSchema,
      response: { 200: keyListSchema, ...keyErrorResponses(...readErrors) },
    },
    ...callers.require('keys:read'),
    handler: async (request) => lists.list(callers.of(request).workspaceId, request.query),
  });

  app.route({
    method: 'GET',
    url: '/v1/api-keys/:id',
    schema: {
      operationId: 'getKey',
      summary: 'Get a key',
      description: 'Scope: `keys:read`.',
      tags,
      security,
      headers: workspaceHeader,
      params: idParams,
      response: { 200: keySchema, ...keyErrorResponses(...readErrors) },
    },
    ...callers.require('keys:read'),
    handler: async (request) => keys.get(callers.of(request).workspaceId, request.params.id),
  });

  app.route({
    method: 'PATCH',
    url: '/v1/api-keys/:id',
    schema: {
      operationId: 'updateKey',
      summary: 'Change a key',
      description:
        'Scope: `keys:write`. Fields that are not in the body stay unchanged; null clears a field. Returns when no server still allows what the change removes. A revoked key takes only `name` and `metadata`. A calling key can change only keys whose policy its own policy covers. A key without `keys:read` that changes another key receives a `KeyChange`: the id and the fields that it sent.',
      tags,
      security,
      headers: workspaceHeader,
      params: idParams,
      body: changeKeySchema,
      response: {
        200: z.union([keySchema, keyChangeSchema]),
        ...keyErrorResponses(...changeErrors, 'key_revoked', 'key_quota_reached', 'session_required'),
      },
    },
    ...callers.require('keys:write'),
    handler: async (request) => {
      const changed = await keys.change(callers.of(request), request.params.id, request.body);
      logEvent(request, 'key changed', { ...callerIds(callers.of(request)), keyId: changed.id });
      return changed;
    },
  });

  await app.register(rotationRoutes, options);
  await app.register(revokeRoutes, options);
  await app.register(selfRevokeRoute, options);
};
