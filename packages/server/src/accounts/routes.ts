import { sessionSchema } from '@soku/contract/accounts';
import { nameSchema } from '@soku/contract/names';
import { containsKey } from '@soku/key';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { rethrowUnavailable } from '../database/unavailable.ts';
import { diffDetails } from '../events/events.ts';
import type { ClientAddress } from '../http/client-address.ts';
import type { LogEvent } from '../http/event-log.ts';
import { AccountEventRecorder } from './account-event-recorder.ts';
import type { AccountName } from './account-events.ts';
import type { AccountService } from './account-service.ts';
import { type Auth, isSessionExpired } from './auth.ts';
import type { DeviceCookies } from './device-cookie.ts';
import type { FailedSignIns } from './failed-sign-ins.ts';
import { authHeaders, callAuth, copyCookies, sendAuthResponse } from './forward.ts';
import type { PasswordGate } from './password-gate.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { passwordRoutes } from './password-routes.ts';
import { sessionRoutes } from './session-routes.ts';

interface Options {
  auth: Auth;
  accounts: AccountService;
  gate: PasswordGate;
  passwords: PasswordHasher;
  devices: DeviceCookies;
  failedSignIns: FailedSignIns;
  publicUrl: string;
  /** Accepted prefixes, the one of new keys first. */
  keyPrefixes: readonly [string, ...string[]];
  /** Undefined: every key is live. */
  testKeyPrefix: string | undefined;
  addressOf: ClientAddress;
  logEvent: LogEvent;
}

/**
 * The only reachable calls of the auth library, apart from those in password-routes.ts, each with the only fields that
 * are forwarded. The library has many more of both, and each version adds some: calls that the dashboard does not use
 * are not exposed to attack.
 */
const authCalls = (name: z.ZodType<string>) =>
  [
    { method: 'GET', path: '/get-session' },
    { method: 'POST', path: '/sign-out', event: 'signed out', action: 'account.signed_out' },
    { method: 'POST', path: '/revoke-sessions', event: 'sessions ended', action: 'account.sessions_revoked' },
    {
      method: 'POST',
      path: '/update-user',
      event: 'account name changed',
      action: 'account.updated',
      body: z.object({ name }),
    },
  ] as const;

type RecordedCall = Extract<ReturnType<typeof authCalls>[number], { event: string }>;

/**
 * The changes or details of an event.
 *
 * @returns undefined if nothing changed, so that there is no event
 */
function moreOf(path: string, before: { name: string }, body: unknown) {
  if (path === '/revoke-sessions') return { details: { sessions: 'all' } };
  if (path !== '/update-user') return {};
  const changes = diffDetails({ name: before.name }, z.object({ name: z.string() }).parse(body));
  return changes && { changes };
}

/** Names are stored and displayed, so a key that was pasted into the field would be stored permanently. */
function nameWithoutKey(prefixes: readonly string[]) {
  return nameSchema.refine((name) => !containsKey(name, prefixes), 'must not contain an API key');
}

/** Sign-in, sessions and first setup. The dashboard makes these calls; they are not part of the Public API. */
export const accountRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  const { auth, accounts, addressOf, logEvent } = options;
  const name = nameWithoutKey(options.keyPrefixes);
  const records = new AccountEventRecorder(accounts, addressOf);

  const record = async (
    request: FastifyRequest,
    { event, action, path }: RecordedCall,
    account: AccountName,
    body: unknown,
  ) => {
    logEvent(request, event, { accountId: account.id });
    const more = moreOf(path, account, body);
    if (more !== undefined) await records.recordChange(request, action, account, more);
  };

  for (const call of authCalls(name)) {
    app.route({
      method: call.method,
      url: `/api/auth${call.path}`,
      schema: { hide: true, ...('body' in call ? { body: call.body } : {}) },
      handler: async (request, reply) => {
        const body = call.method === 'POST' ? (request.body ?? {}) : undefined;
        const headers = authHeaders(request, addressOf(request.raw));
        // Read before the call, which may end the session.
        const session = 'event' in call ? await accounts.findSession(headers) : null;
        const response = await callAuth(auth, headers, call, body);
        if ('event' in call && session !== null && response.ok)
          await record(request, call, session.user, body);
        return sendAuthResponse(reply, response);
      },
    });
  }

  app.get(
    '/api/session',
    { schema: { hide: true, response: { 200: sessionSchema } } },
    async (request, reply) => {
      const { response, headers } = await rethrowUnavailable(() =>
        auth.api.getSession({ headers: authHeaders(request, addressOf(request.raw)), returnHeaders: true }),
      );
      copyCookies(reply, headers);
      const user = response && isSessionExpired(response.session) ? undefined : response?.user;
      const [workspace] = user === undefined ? [] : await accounts.workspacesOf(user.id);
      reply.header('cache-control', 'no-store');
      return {
        user: user === undefined ? null : { id: user.id, name: user.name, email: user.email },
        workspace: workspace ?? null,
        setupNeeded: await accounts.setupNeeded(),
        publicUrl: options.publicUrl,
        keyPrefix: options.keyPrefixes[0],
        keyPrefixes: [...options.keyPrefixes],
        testKeyPrefix: options.testKeyPrefix ?? null,
      };
    },
  );

  await app.register(passwordRoutes, { ...options, name, records });
  await app.register(sessionRoutes, { auth, sessions: accounts.sessions, addressOf, logEvent });
};
