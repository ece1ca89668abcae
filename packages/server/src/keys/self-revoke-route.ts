import { revokeSelfSchema, selfRevocationSchema } from '@soku/contract/revocations';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { originOf } from '../events/actor.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { sendProblem } from '../http/errors.ts';
import type { LogEvent } from '../http/event-log.ts';
import { keyErrorResponses } from '../http/openapi.ts';
import type { KeyIdentifier } from '../verification/key-identifier.ts';
import type { RevokeService } from './revoke-service.ts';
import { tags } from './route-parts.ts';

/** The endpoint with which the holder of a key revokes it. */
export const selfRevokeRoute: FastifyPluginAsyncZod<{
  revocations: RevokeService;
  identifier: KeyIdentifier;
  addressOf: ClientAddress;
  logEvent: LogEvent;
}> = async (app, { revocations, identifier, addressOf, logEvent }) => {
  app.route({
    method: 'POST',
    url: '/v1/api-keys/self/revoke',
    schema: {
      operationId: 'revokeSelf',
      summary: 'Revoke the key of this call',
      description:
        'For anyone who has found a leaked key. Requires no scope, and works whatever the allowed addresses, the limit, the environment and the status of the key. If the key was rotated and this is not its newest secret, only this secret is retired. A repeated call returns the same result.',
      tags,
      security: [{ key: [] }],
      body: revokeSelfSchema.nullish(),
      response: {
        200: selfRevocationSchema,
        ...keyErrorResponses(
          'verification_unavailable',
          'cross_origin',
          'payload_too_large',
          'unsupported_media_type',
        ),
      },
    },
    handler: async (request, reply) => {
      const address = addressOf(request.raw);
      const secret = await identifier.identify(request.raw, address, Date.now());
      if (secret.problem !== undefined) return sendProblem(reply, secret.problem);
      const { reason = null } = request.body ?? {};
      const result = await revocations.revokeSelf(secret, originOf(request, address), reason);
      const event = result.status === 'revoked' ? 'key revoked' : 'secret retired';
      const { keyId, workspaceId } = secret;
      logEvent(request, event, { callerKeyId: keyId, workspaceId, keyId });
      return reply.header('cache-control', 'no-store').send(result);
    },
  });
};
