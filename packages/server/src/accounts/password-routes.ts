import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { orUnavailable } from '../database/unavailable.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { RequestError } from '../http/errors.ts';
import { networkOf } from '../limits/network.ts';
import type { AccountService } from './account-service.ts';
import type { Auth } from './auth.ts';
import { authHeaders, callAuth, copyCookies, sendAuthResponse } from './forward.ts';
import type { PasswordGate } from './password-gate.ts';
import { emailSchema, passwordSchema, setupSchema } from './schemas.ts';

interface Options {
  auth: Auth;
  accounts: AccountService;
  gate: PasswordGate;
  /** Schema of a person's name. */
  name: z.ZodType<string>;
  addressOf: ClientAddress;
}

/** A password to be checked. Its bound is above that of a new one, which may change. */
const checkedPassword = z.string().max(1000);

const signInSchema = z.object({
  email: emailSchema,
  password: checkedPassword,
  rememberMe: z.boolean().optional(),
});

const changePasswordSchema = z.object({
  currentPassword: checkedPassword,
  newPassword: passwordSchema,
  revokeOtherSessions: z.boolean().optional(),
});

/** Every call that hashes a password. Each passes the gate before the auth library sees it. */
export const passwordRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  const { auth, accounts, gate, name, addressOf } = options;
  const headersOf = (request: FastifyRequest) => authHeaders(request, addressOf(request.raw));
  const clientOf = (request: FastifyRequest, reply: FastifyReply) => {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    return { network: networkOf(addressOf(request.raw)), signal: gone.signal };
  };

  app.post(
    '/api/auth/sign-in/email',
    { schema: { hide: true, body: signInSchema } },
    async (request, reply) => {
      const call = { method: 'POST', path: '/sign-in/email' } as const;
      const response = await gate.signIn(request.body.email, clientOf(request, reply), () =>
        callAuth(auth, headersOf(request), call, request.body),
      );
      return sendAuthResponse(reply, response);
    },
  );

  app.post(
    '/api/auth/change-password',
    { schema: { hide: true, body: changePasswordSchema } },
    async (request, reply) => {
      const session = await accounts.findSession(headersOf(request));
      if (session === null) throw sessionOver();
      const call = { method: 'POST', path: '/change-password' } as const;
      const response = await gate.authorized(clientOf(request, reply), () =>
        callAuth(auth, headersOf(request), call, request.body),
      );
      return sendAuthResponse(reply, response);
    },
  );

  app.post(
    '/api/setup',
    {
      schema: {
        hide: true,
        body: setupSchema.extend({ name }),
        response: { 201: z.object({ email: z.string() }) },
      },
    },
    async (request, reply) => {
      const { code, ...account } = request.body;
      await accounts.checkSetupCode(code);
      const signedIn = await gate.authorized(clientOf(request, reply), async () => {
        await accounts.setUp(code, account);
        return orUnavailable(() =>
          auth.api.signInEmail({
            body: { email: account.email, password: account.password },
            headers: headersOf(request),
            returnHeaders: true,
          }),
        );
      });
      copyCookies(reply, signedIn.headers);
      return reply.code(201).header('cache-control', 'no-store').send({ email: account.email });
    },
  );
};

function sessionOver(): RequestError {
  return new RequestError({ code: 'session_over', message: 'The session is over. Sign in again.' });
}
