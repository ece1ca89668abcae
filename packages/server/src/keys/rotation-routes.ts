import { secretIdSchema } from '@soku/contract/key-policy';
import { createdKeySchema, keySchema } from '@soku/contract/keys';
import { rotateKeySchema, secretRetirementSchema } from '@soku/contract/rotation';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Callers, workspaceHeader } from '../http/caller.ts';
import { callerIds, type LogEvent } from '../http/event-log.ts';
import { keyErrorResponses } from '../http/openapi.ts';
import type { RotationService } from './rotation-service.ts';
import { changeErrors, createHeaders, idParams, security, tags } from './route-parts.ts';

/** The endpoints that replace and retire the secrets of a key. */
export const rotationRoutes: FastifyPluginAsyncZod<{
  rotation: RotationService;
  callers: Callers;
  logEvent: LogEvent;
}> = async (app, { rotation, callers, logEvent }) => {
  app.route({
    method: 'POST',
    url: '/v1/api-keys/:id/rotate',
    schema: {
      operationId: 'rotateKey',
      summary: 'Rotate a key',
      description:
        'Scope: `keys:write`. The key keeps its id. Only this response contains the full new key. The older secrets are accepted until the grace period ends, and never longer than an earlier rotation allows. With `graceSeconds: 0`, no server accepts them once this returns. A calling key can rotate only keys whose policy its own policy covers.',
      tags,
      security,
      headers: createHeaders,
      params: idParams,
      body: rotateKeySchema.nullish(),
      response: {
        201: createdKeySchema,
        ...keyErrorResponses(
          ...changeErrors,
          'idempotency_replayed',
          'key_revoked',
          'key_expired',
          'too_many_secrets',
          'recent_login_required',
        ),
      },
    },
    ...callers.require('keys:write', { recentLogin: true }),
    handler: async (request, reply) => {
      const caller = callers.of(request);
      const { id: keyId } = request.params;
      const input = request.body ?? rotateKeySchema.parse({});
      const rotated = await rotation.rotate(caller, keyId, input, request.headers['idempotency-key'] ?? null);
      logEvent(request, 'key rotated', { ...callerIds(caller), keyId });
      return reply.code(201).header('cache-control', 'no-store').send(rotated);
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/api-keys/:id/secrets/:secretId/retire',
    schema: {
      operationId: 'retireSecret',
      summary: 'Retire a secret of a key permanently',
      description:
        'Scope: `keys:write`. Returns when no server accepts the secret anymore. A repeated call returns the same result. The newest secret cannot be retired. A key without `keys:read` that retires a secret of another key receives a `SecretRetirement`.',
      tags,
      security,
      headers: workspaceHeader,
      params: idParams.extend({ secretId: secretIdSchema }),
      response: {
        200: z.union([keySchema, secretRetirementSchema]),
        ...keyErrorResponses(...changeErrors, 'newest_secret'),
      },
    },
    ...callers.require('keys:write'),
    handler: async (request) => {
      const caller = callers.of(request);
      const { id: keyId, secretId } = request.params;
      const retired = await rotation.retire(caller, keyId, secretId);
      logEvent(request, 'secret retired', { ...callerIds(caller), keyId, secretId });
      return retired;
    },
  });
};
