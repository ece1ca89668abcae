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
import { standing, verifyKeys } from './verify-keys.ts';

interface Options {
  verifier: GrantingVerifier;
  keys: { get(workspaceId: string, id: string): Promise<Key> };
  accounts: { findWorkspace(id: string): Promise<{ id: string; name: string } | undefined> };
  callers: Callers;
  addressOf: ClientAddress;
  /** Whose keys `POST /v1/verify` knows: those of the asking key's workspace, or all. */
  verifyScope: 'workspace' | 'deployment';
}

const tags = ['Verification'];
const security = [{ key: [] }];
const refusalCodes = ['rate_limited', 'verification_unavailable'] as const;

/** The calls that a key itself makes: "who am I?", and the question of a proxy that stands before an API. */
export const verificationRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  const { verifier, keys, accounts, callers, addressOf, verifyScope } = options;

  app.route({
    method: 'GET',
    url: '/v1/me',
    schema: {
      operationId: 'getMe',
      summary: 'Does my key work?',
      description:
        'Tells a program which key it holds, and where it stands with its limit. Any key may call it.',
      tags,
      security,
      response: { 200: meSchema, ...keyErrorResponses(...refusalCodes) },
    },
    handler: async (request, reply) => {
      const verdict = await verifier.verify(request.raw, { address: addressOf(request.raw) });
      if (verdict.refusal !== undefined) return sendProblem(reply, verdict.refusal);
      const { key, limit } = verdict;
      const workspace = await accounts.findWorkspace(key.workspaceId);
      if (workspace === undefined) throw new Error('a key is without its workspace');
      reply.header('cache-control', 'no-store');
      if (limit !== null) reply.headers(limitFields(limit));
      return {
        key: await keys.get(key.workspaceId, key.keyId),
        workspace,
        limits: { rateLimit: standing(limit) },
      };
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/verify',
    schema: {
      operationId: 'verifyKey',
      summary: 'Verify keys that a back end holds',
      description:
        'Scope: `keys:verify`. For a program that took a key from a request itself. The limit of the key that is asked about counts; that of the asking key does not. A key that is refused is returned as `valid: false` with the code and message that its holder would get. With `apiKeys` up to 100 keys are verified in one call. With `SOKU_VERIFY_SCOPE=workspace` the keys of other workspaces are `unknown_key`.',
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
          ...refusalCodes,
        ),
      },
    },
    ...callers.require('keys:verify', { limited: false, person: false }),
    handler: async (request, reply) => {
      const { workspaceId } = callers.of(request);
      const { body, refusal } = await verifyKeys(verifier, request.body, { workspaceId, scope: verifyScope });
      if (refusal !== undefined) return sendProblem(reply, refusal);
      reply.header('cache-control', 'no-store');
      return body;
    },
  });

  // For the document only: ForwardAuth answers it, ahead of the framework.
  app.route({
    method: 'GET',
    url: '/v1/verify',
    schema: {
      operationId: 'verifyForward',
      summary: 'Verify a request for a proxy (forward-auth)',
      description:
        'The proxy passes the Authorization header on, and the original request in `X-Original-URI`, `X-Original-URL` or `X-Forwarded-Uri`. A good key is answered with identity headers and no body. A refusal also comes as `X-Soku-Status` and `X-Soku-Error`, for proxies that hand on neither body nor status. For proxies that append the original path and keep its method (Envoy), any method on `/v1/verify/...` gives the same answer, with 200 in place of 204.',
      tags,
      security,
      response: {
        204: z
          .null()
          .describe('The key is good: X-Soku-Key-Id, X-Soku-Workspace-Id, X-Soku-Key-Name, X-Soku-Scopes'),
        ...keyErrorResponses(...refusalCodes),
      },
    },
    exposeHeadRoute: false,
    handler: async () => {
      throw new Error('ForwardAuth has not answered this request');
    },
  });
};
