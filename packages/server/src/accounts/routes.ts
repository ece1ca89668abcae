import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { AccountService } from './account-service.ts';
import type { Auth } from './auth.ts';
import { authHeaders, copyCookies, sendAuthResponse } from './forward.ts';
import { sessionSchema, setupSchema } from './schemas.ts';

interface Options {
  auth: Auth;
  accounts: AccountService;
  publicUrl: string;
  keyPrefix: string;
}

/**
 * The only calls of the auth library that are reachable. It has many more, and grows with each version: what the
 * dashboard does not use is not there to be attacked.
 */
const authCalls = [
  ['POST', '/sign-in/email'],
  ['POST', '/sign-out'],
  ['GET', '/get-session'],
  ['GET', '/list-sessions'],
  ['POST', '/revoke-session'],
  ['POST', '/revoke-sessions'],
  ['POST', '/revoke-other-sessions'],
  ['POST', '/change-password'],
  ['POST', '/update-user'],
] as const;

/** Sign-in, sessions and first setup: the calls of the dashboard, not of the Public API. */
export const accountRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  const { auth, accounts } = options;

  for (const [method, path] of authCalls) {
    app.route({
      method,
      url: `/api/auth${path}`,
      schema: { hide: true },
      handler: async (request, reply) => {
        const response = await auth.handler(
          new Request(`${options.publicUrl}/api/auth${path}`, {
            method,
            headers: authHeaders(request),
            ...(method === 'POST' ? { body: JSON.stringify(request.body ?? {}) } : {}),
          }),
        );
        return sendAuthResponse(reply, response);
      },
    });
  }

  app.get(
    '/api/session',
    { schema: { hide: true, response: { 200: sessionSchema } } },
    async (request, reply) => {
      const { response, headers } = await auth.api.getSession({
        headers: authHeaders(request),
        returnHeaders: true,
      });
      copyCookies(reply, headers);
      const user = response?.user;
      const [workspace] = user === undefined ? [] : await accounts.workspacesOf(user.id);
      reply.header('cache-control', 'no-store');
      return {
        user: user === undefined ? null : { id: user.id, name: user.name, email: user.email },
        workspace: workspace ?? null,
        setupNeeded: accounts.setupNeeded,
        publicUrl: options.publicUrl,
        keyPrefix: options.keyPrefix,
      };
    },
  );

  app.post(
    '/api/setup',
    { schema: { hide: true, body: setupSchema, response: { 201: z.object({ email: z.string() }) } } },
    async (request, reply) => {
      const { code, ...account } = request.body;
      await accounts.setUp(code, account);
      const signedIn = await auth.api.signInEmail({
        body: { email: account.email, password: account.password },
        headers: authHeaders(request),
        returnHeaders: true,
      });
      copyCookies(reply, signedIn.headers);
      return reply.code(201).header('cache-control', 'no-store').send({ email: account.email });
    },
  );
};
