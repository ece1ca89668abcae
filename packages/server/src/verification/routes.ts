import type { Key } from '@soku/contract/keys';
import {
  meSchema,
  verificationSchema,
  verificationsSchema,
  verifyKeySchema,
} from '@soku/contract/verification';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Callers } from '../http/caller.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { sendProblem } from '../http/errors.ts';
import { keyErrorResponses } from '../http/openapi.ts';
import { limitFields } from '../limits/fields.ts';
import type { GrantingVerifier } from './granting-verifier.ts';
import { rateLimitState, verifyKeys } from './verify-keys.ts';

interface Options {
  verifier: GrantingVerifier;
  keys: { get(workspaceId: string, id: string): Promise<Key> };
  accounts: { findWorkspace(id: string): Promise<{ id: string; name: string } | undefined> };
  callers: Callers;
  addressOf: ClientAddress;
  /** Whether `POST /v1/verify` covers the keys of the caller's workspace only, or all keys. */
  verifyScope: 'workspace' | 'deployment';
}

const tags = ['Verification'];
const security = [{ key: [] }];
const rejectionCodes = ['rate_limited', 'verification_unavailable'] as const;

/** The routes that verify keys: for the holder of a key, for back ends, and for proxies. */
export const verificationRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  const { verifier, keys, accounts, callers, addressOf, verifyScope } = options;

  app.route({
    method: 'GET',
    url: '/v1/me',
    schema: {
      operationId: 'getMe',
      summary: 'Get the calling key',
      description:
        'Returns the key that authenticates the call, its workspace and its rate limit. Any valid key may call it.',
      tags,
      security,
      response: { 200: meSchema, ...keyErrorResponses(...rejectionCodes) },
    },
    handler: async (request, reply) => {
      // People try a new key with this call before they deploy it.
      const verifyOptions = { address: addressOf(request.raw), startsGrace: false };
      const result = await verifier.verify(request.raw, verifyOptions);
      if (result.problem !== undefined) return sendProblem(reply, result.problem);
      const { key, limit } = result;
      const workspace = await accounts.findWorkspace(key.workspaceId);
      if (workspace === undefined) throw new Error('the workspace of a key is missing');
      reply.header('cache-control', 'no-store');
      if (limit !== null) reply.headers(limitFields(limit));
      return {
        key: await keys.get(key.workspaceId, key.keyId),
        workspace,
        limits: { rateLimit: rateLimitState(limit) },
      };
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/verify',
    schema: {
      operationId: 'verifyKey',
      summary: 'Verify keys from a back end',
      description:
        'Scope: `keys:verify`. For a program that received a key in a request. The call counts against the rate limit of the verified key, not of the calling key. A rejected key is returned as `valid: false` with the code and message that its holder would get. With `apiKeys`, one call verifies up to 100 keys. With `SOKU_VERIFY_SCOPE=workspace`, keys of other workspaces are `unknown_key`.',
      tags,
      security,
      body: verifyKeySchema,
      response: {
        200: z.union([verificationSchema, verificationsSchema]),
        ...keyErrorResponses(
          'insufficient_scope',
          'cross_origin',
          'payload_too_large',
          'unsupported_media_type',
          ...rejectionCodes,
        ),
      },
    },
    ...callers.require('keys:verify', { limited: false, person: false }),
    handler: async (request, reply) => {
      const { workspaceId } = callers.of(request);
      const { body, problem } = await verifyKeys(verifier, request.body, { workspaceId, scope: verifyScope });
      if (problem !== undefined) return sendProblem(reply, problem);
      reply.header('cache-control', 'no-store');
      return body;
    },
  });

  // Only for the OpenAPI document: ForwardAuth handles these requests ahead of the framework.
  app.route({
    method: 'GET',
    url: '/v1/verify',
    schema: {
      operationId: 'verifyForward',
      summary: 'Verify a request for a proxy (forward-auth)',
      description:
        'The proxy forwards the Authorization header, and sends the original request target in `X-Original-URI`, `X-Original-URL` or `X-Forwarded-Uri`. The response to a valid key has identity headers and no body. A rejection also has `X-Soku-Status` and `X-Soku-Error`, for proxies that forward neither body nor status. For proxies that append the original path and keep its method (Envoy), any method on `/v1/verify/...` gets the same response, with 200 instead of 204.',
      tags,
      security,
      response: {
        204: z
          .null()
          .describe(
            'The key is valid: X-Soku-Key-Id, X-Soku-Workspace-Id, X-Soku-Key-Name, X-Soku-Scopes, X-Soku-Environment, X-Soku-External-Id',
          ),
        ...keyErrorResponses(...rejectionCodes),
      },
    },
    exposeHeadRoute: false,
    handler: async () => {
      throw new Error('ForwardAuth did not handle this request');
    },
  });
};
