import { emailSchema, passwordSchema, setupSchema } from '@soku/contract/accounts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { orUnavailable } from '../database/unavailable.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { RequestError } from '../http/errors.ts';
import { type LogEvent, rejectedLog } from '../http/event-log.ts';
import { networkOf } from '../limits/network.ts';
import type { AccountService } from './account-service.ts';
import type { Auth } from './auth.ts';
import type { DeviceCookies } from './device-cookie.ts';
import { authHeaders, callAuth, copyCookies, sendAuthResponse } from './forward.ts';
import { checkNewPassword } from './new-password.ts';
import type { Client, PasswordGate } from './password-gate.ts';
import type { PasswordHasher } from './password-hasher.ts';

interface Options {
  auth: Auth;
  accounts: AccountService;
  gate: PasswordGate;
  passwords: PasswordHasher;
  devices: DeviceCookies;
  /** Schema of a person's name. */
  name: z.ZodType<string>;
  addressOf: ClientAddress;
  logEvent: LogEvent;
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
});

/** Every call that hashes a password. Each passes the gate before the auth library sees it. */
export const passwordRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  const { auth, accounts, gate, passwords, devices, name, addressOf, logEvent } = options;
  const headersOf = (request: FastifyRequest) => authHeaders(request, addressOf(request.raw));
  const clientOf = (request: FastifyRequest, reply: FastifyReply) => clientAt(addressOf(request.raw), reply);

  app.addHook('onError', rejectedLog(logEvent));
  app.post(
    '/api/auth/sign-in/email',
    { schema: { hide: true, body: signInSchema } },
    async (request, reply) => {
      const call = { method: 'POST', path: '/sign-in/email' } as const;
      const { email } = request.body;
      const device = devices.read(request.headers.cookie, email);
      const response = await gate.signIn({ email, device }, clientOf(request, reply), () =>
        callAuth(auth, headersOf(request), call, request.body),
      );
      if (response.status === 200 && device === undefined)
        response.headers.append('set-cookie', devices.issue(email));
      if (response.ok || response.status === 401) {
        const accountId = await accounts.findId(email);
        logEvent(request, response.ok ? 'signed in' : 'sign-in failed', { accountId });
      }
      return sendAuthResponse(reply, response);
    },
  );

  app.post(
    '/api/auth/change-password',
    { schema: { hide: true, body: changePasswordSchema } },
    async (request, reply) => {
      const session = await accounts.findSession(headersOf(request));
      if (session === null) throw sessionOver();
      const { currentPassword, newPassword } = request.body;
      const { id, email } = session.user;
      const call = { method: 'POST', path: '/change-password' } as const;
      const response = await gate.changePassword(id, clientOf(request, reply), async () => {
        await checkNewPassword(passwords, { email, password: newPassword }, 'newPassword');
        // A session that a thief has must not outlive the change, whatever the client asked for (ASVS 5.0 7.4.3).
        const body = { currentPassword, newPassword, revokeOtherSessions: true };
        return callAuth(auth, headersOf(request), call, body);
      });
      // The auth library answers 400 to a wrong password here.
      logEvent(request, response.ok ? 'password changed' : 'password change failed', { accountId: id });
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
      const signedIn = await gate.setUp(clientOf(request, reply), async () => {
        await accounts.setUp(code, account);
        return orUnavailable(() =>
          auth.api.signInEmail({
            body: { email: account.email, password: account.password },
            headers: headersOf(request),
            returnHeaders: true,
          }),
        );
      });
      logEvent(request, 'account created', { accountId: signedIn.response.user.id });
      signedIn.headers.append('set-cookie', devices.issue(account.email));
      copyCookies(reply, signedIn.headers);
      return reply.code(201).header('cache-control', 'no-store').send({ email: account.email });
    },
  );
};

function clientAt(address: string, reply: FastifyReply): Client {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return { address, network: networkOf(address), signal: gone.signal };
}

function sessionOver(): RequestError {
  return new RequestError({ code: 'session_over', message: 'The session is over. Sign in again.' });
}
