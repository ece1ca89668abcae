import { browserSessionSchema, sessionIdSchema, sessionsEndedSchema } from '@soku/contract/accounts';
import type { Actor } from '@soku/contract/audit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { rethrowUnavailable } from '../database/unavailable.ts';
import { originOf } from '../events/actor.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { RequestError } from '../http/errors.ts';
import type { LogEvent } from '../http/event-log.ts';
import { personActor } from './account-events.ts';
import { type Auth, isSessionExpired } from './auth.ts';
import { authHeaders, copyCookies } from './forward.ts';
import type { Sessions } from './sessions.ts';

interface Options {
  auth: Auth;
  sessions: Sessions;
  addressOf: ClientAddress;
  logEvent: LogEvent;
}

/** Lists and ends the sessions of the signed-in account. */
export const sessionRoutes: FastifyPluginAsyncZod<Options> = async (
  app,
  { auth, sessions, addressOf, logEvent },
) => {
  /** @throws {RequestError} session_over */
  async function requireSession(
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<{ id: string; userId: string; actor: Actor }> {
    reply.header('cache-control', 'no-store');
    const { response, headers } = await rethrowUnavailable(() =>
      auth.api.getSession({ headers: authHeaders(request, addressOf(request.raw)), returnHeaders: true }),
    );
    copyCookies(reply, headers);
    if (response !== null && !isSessionExpired(response.session)) {
      const actor = personActor(response.user, originOf(request, addressOf(request.raw)));
      return { id: response.session.id, userId: response.user.id, actor };
    }
    throw new RequestError({ code: 'session_over', message: 'Your session has ended. Sign in again.' });
  }

  app.get(
    '/api/auth/list-sessions',
    { schema: { hide: true, response: { 200: z.array(browserSessionSchema) } } },
    async (request, reply) => {
      const { id, userId } = await requireSession(request, reply);
      return sessions.list(userId, id);
    },
  );

  app.post(
    '/api/auth/revoke-session',
    {
      schema: { hide: true, body: z.object({ id: sessionIdSchema }), response: { 200: sessionsEndedSchema } },
    },
    async (request, reply) => {
      const current = await requireSession(request, reply);
      await sessions.end(current.actor, request.body.id);
      logEvent(request, 'sessions ended', { accountId: current.userId });
      return { status: true };
    },
  );

  app.post(
    '/api/auth/revoke-other-sessions',
    { schema: { hide: true, response: { 200: sessionsEndedSchema } } },
    async (request, reply) => {
      const { id, userId, actor } = await requireSession(request, reply);
      await sessions.endOthers(actor, id);
      logEvent(request, 'sessions ended', { accountId: userId });
      return { status: true };
    },
  );
};
