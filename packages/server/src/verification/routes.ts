import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { AccountService } from '../accounts/account-service.ts';
import { errorCodes } from '../http/error-codes.ts';
import { errorBody, refuse } from '../http/errors.ts';
import { refusals } from '../http/openapi.ts';
import { meSchema } from '../keys/schemas.ts';
import type { KeyService } from '../keys/service.ts';
import { originalTarget } from './original-request.ts';
import type { Verifier } from './verifier.ts';

interface Options {
  verifier: Verifier;
  keys: KeyService;
  accounts: AccountService;
}

const tags = ['Verification'];
const security = [{ key: [] }];
const refusalCodes = ['verification_unavailable'] as const;

/** The calls that a key itself makes: "who am I?", and the question of a proxy that stands before an API. */
export const verificationRoutes: FastifyPluginAsyncZod<Options> = async (
  app,
  { verifier, keys, accounts },
) => {
  app.route({
    method: 'GET',
    url: '/v1/me',
    schema: {
      operationId: 'getMe',
      summary: 'Does my key work?',
      description: 'Tells a program which key it holds. Any key may call it.',
      tags,
      security,
      response: { 200: meSchema, ...refusals(...refusalCodes) },
    },
    handler: async (request, reply) => {
      const { key, refusal } = verifier.verify(request.raw, request.url);
      if (refusal !== undefined) return refuse(reply, refusal);
      const workspace = await accounts.findWorkspace(key.workspaceId);
      if (workspace === undefined) throw new Error('a key is without its workspace');
      reply.header('cache-control', 'no-store');
      return { key: await keys.get(key.workspaceId, key.keyId), workspace };
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/verify',
    schema: {
      operationId: 'verifyForward',
      summary: 'Verify a request for a proxy (forward-auth)',
      description:
        'The proxy passes the Authorization header on, and the original request in `X-Original-URI` or `X-Forwarded-Uri`. A good key is answered with identity headers and no body. A refusal also comes as `X-Soku-Status` and `X-Soku-Error`, for proxies that hand on neither body nor status.',
      tags,
      security,
      response: {
        204: z
          .null()
          .describe('The key is good: X-Soku-Key-Id, X-Soku-Workspace-Id, X-Soku-Key-Name, X-Soku-Scopes'),
        ...refusals(...refusalCodes),
      },
    },
    handler: async (request, reply) => {
      const { key, refusal } = verifier.verify(request.raw, originalTarget(request.raw));
      if (refusal !== undefined) {
        const now = Date.now();
        reply.header('x-soku-status', String(errorCodes[refusal.code].status));
        reply.header('x-soku-error', asciiJson(errorBody(refusal, request.id, now)));
        return refuse(reply, refusal, now);
      }
      return reply
        .code(204)
        .headers({
          'cache-control': 'no-store',
          'x-soku-key-id': key.keyId,
          'x-soku-workspace-id': key.workspaceId,
          'x-soku-key-name': encodeURIComponent(key.name),
          'x-soku-scopes': key.scopes.join(' '),
        })
        .send(null);
    },
  });
};

/** JSON that fits into a header field: everything outside ASCII as an escape. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
