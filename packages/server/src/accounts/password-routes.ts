import { emailSchema, passwordSchema } from '@soku/contract/accounts';
import { setupSchema } from '@soku/contract/setup';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { rethrowUnavailable } from '../database/unavailable.ts';
import { originOf } from '../events/actor.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { RequestError } from '../http/errors.ts';
import { createRejectionLog, type LogEvent } from '../http/event-log.ts';
import { networkOf } from '../limits/network.ts';
import type { AccountEventRecorder } from './account-event-recorder.ts';
import type { AccountService } from './account-service.ts';
import type { Auth } from './auth.ts';
import type { DeviceCookies } from './device-cookie.ts';
import type { FailedSignIns } from './failed-sign-ins.ts';
import { authHeaders, callAuth, copyCookies, sendAuthResponse } from './forward.ts';
import { checkNewPassword } from './new-password.ts';
import type { Client, PasswordGate } from './password-gate.ts';
import type { PasswordHasher } from './password-hasher.ts';

interface Options {
  auth: Auth;
  accounts: AccountService;
  records: AccountEventRecorder;
  gate: PasswordGate;
  passwords: PasswordHasher;
  devices: DeviceCookies;
  failedSignIns: FailedSignIns;
  /** The schema for a person's name. */
  name: z.ZodType<string>;
  addressOf: ClientAddress;
  logEvent: LogEvent;
}

/** A password to check. Its maximum length exceeds the limit for new passwords, because that limit may change. */
const checkedPassword = z.string().max(1000);

const signInSchema = z.object({
  email: emailSchema,
  password: checkedPassword,
  rememberMe: z.boolean().optional(),
});

/** The fields used here from the auth library's response to a sign-in. */
const signedInSchema = z.object({ token: z.string(), user: z.object({ id: z.string(), name: z.string() }) });

const changePasswordSchema = z.object({
  currentPassword: checkedPassword,
  newPassword: passwordSchema,
});

/** Every call that hashes a password. Each goes through the gate before the auth library receives it. */
export const passwordRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  const { auth, accounts, records, gate, passwords, devices, failedSignIns, addressOf, logEvent } = options;
  const origin = (request: FastifyRequest) => originOf(request, addressOf(request.raw));
  const headersOf = (request: FastifyRequest) => authHeaders(request, addressOf(request.raw));
  const clientOf = (request: FastifyRequest, reply: FastifyReply) => clientAt(addressOf(request.raw), reply);

  const recordFailure = async (request: FastifyRequest, email: string) => {
    const account = await accounts.findAccount(email);
    logEvent(request, 'sign-in failed', { accountId: account?.id });
    failedSignIns.add(account, origin(request));
  };
  app.addHook('onError', createRejectionLog(logEvent));
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
      if (response.status === 401) await recordFailure(request, email);
      if (response.ok) {
        const { user, token } = signedInSchema.parse(await response.clone().json());
        await records.recordSignIn(request, user, token, device === undefined ? { newDevice: true } : {});
        logEvent(request, 'signed in', { accountId: user.id });
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
        // A stolen session must not outlive the change, whatever the client requests (ASVS 5.0 7.4.3).
        const body = { currentPassword, newPassword, revokeOtherSessions: true };
        return callAuth(auth, headersOf(request), call, body);
      });
      // The auth library returns 400 for a wrong password here.
      logEvent(request, response.ok ? 'password changed' : 'password change failed', { accountId: id });
      const action = response.ok ? 'account.password_changed' : 'account.password_change_failed';
      await records.recordChange(request, action, session.user);
      return sendAuthResponse(reply, response);
    },
  );

  await app.register(setupRoute, options);
};

/** Creates the first account with the setup code, and signs it in. */
const setupRoute: FastifyPluginAsyncZod<Options> = async (app, options) => {
  const { auth, accounts, records, gate, devices, name, addressOf, logEvent } = options;
  const origin = (request: FastifyRequest) => originOf(request, addressOf(request.raw));
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
      const signedIn = await gate.setUp(clientAt(addressOf(request.raw), reply), async () => {
        await accounts.setUp(code, account, origin(request));
        return rethrowUnavailable(() =>
          auth.api.signInEmail({
            body: { email: account.email, password: account.password },
            headers: authHeaders(request, addressOf(request.raw)),
            returnHeaders: true,
          }),
        );
      });
      const { user, token } = signedIn.response;
      logEvent(request, 'account created', { accountId: user.id });
      await records.recordSignIn(request, user, token);
      signedIn.headers.append('set-cookie', devices.issue(account.email));
      copyCookies(reply, signedIn.headers);
      return reply.code(201).header('cache-control', 'no-store').send({ email: account.email });
    },
  );
};

function clientAt(address: string, reply: FastifyReply): Client {
  const disconnected = new AbortController();
  reply.raw.once('close', () => disconnected.abort());
  return { address, network: networkOf(address), signal: disconnected.signal };
}

function sessionOver(): RequestError {
  return new RequestError({ code: 'session_over', message: 'Your session has ended. Sign in again.' });
}
