import {
  changeKeySchema,
  createdKeySchema,
  createKeySchema,
  keyChangeSchema,
  keyIdSchema,
  keyListSchema,
  keyRevocationSchema,
  keySchema,
  listKeysSchema,
  revokedKeySchema,
  revokeKeySchema,
} from '@soku/contract/keys';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Callers, workspaceHeader } from '../http/caller.ts';
import { callerIds, type LogEvent } from '../http/event-log.ts';
import { keyErrorResponses } from '../http/openapi.ts';
import type { KeyListService } from './list-service.ts';
import type { KeyService } from './service.ts';

const tags = ['API keys'];
const security = [{ key: [] }, { session: [] }];
const idParams = z.object({ id: keyIdSchema });

/** The header with which a client makes a call repeatable. */
export const idempotencyHeader = {
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe('A repeated call with the same value within 24 hours creates no second key; it returns a 409'),
};
const createHeaders = workspaceHeader.extend(idempotencyHeader);

/** Errors in addition to those of every endpoint: a missing scope, or an unknown workspace in X-Soku-Workspace. */
const reading = ['insufficient_scope', 'not_found', 'verification_unavailable'] as const;
const changing = [...reading, 'cross_origin', 'payload_too_large', 'unsupported_media_type'] as const;

/** The management endpoints. Each requires a session, or a key with the scope named in its description. */
export const keyRoutes: FastifyPluginAsyncZod<{
  keys: KeyService;
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
          ...changing,
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
      response: { 200: keyListSchema, ...keyErrorResponses(...reading) },
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
      response: { 200: keySchema, ...keyErrorResponses(...reading) },
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
        'Scope: `keys:write`. Fields that are not in the body stay unchanged; null clears a field. Returns when no server still allows what the change takes away. A revoked key takes only `name` and `metadata`. A calling key can change only keys whose policy its own policy covers. A key without `keys:read` that changes another key receives a `KeyChange`: the id and the fields that it sent.',
      tags,
      security,
      headers: workspaceHeader,
      params: idParams,
      body: changeKeySchema,
      response: {
        200: z.union([keySchema, keyChangeSchema]),
        ...keyErrorResponses(...changing, 'key_revoked', 'key_quota_reached', 'session_required'),
      },
    },
    ...callers.require('keys:write'),
    handler: async (request) => {
      const changed = await keys.change(callers.of(request), request.params.id, request.body);
      logEvent(request, 'key changed', { ...callerIds(callers.of(request)), keyId: changed.id });
      return changed;
    },
  });

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
      const revoked = await keys.revoke(callers.of(request), request.params.id, descendants);
      const { id: keyId, revocation } = revoked;
      const ids = { ...callerIds(callers.of(request)), keyId, descendants: revocation.descendants };
      logEvent(request, 'key revoked', ids);
      return revoked;
    },
  });
};
