import {
  type NotificationSettings,
  notificationSettingsSchema,
  notificationsSchema,
} from '@soku/contract/notifications';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { personActor } from '../accounts/account-events.ts';
import type { AccountService } from '../accounts/account-service.ts';
import { authHeaders } from '../accounts/forward.ts';
import { originOf } from '../events/actor.ts';
import type { ClientAddress } from '../http/client-address.ts';
import { RequestError } from '../http/errors.ts';
import type { LogEvent } from '../http/event-log.ts';
import { basePathOf } from '../http/public-url.ts';
import type { MailPreferences } from './preferences.ts';
import { topicOf } from './texts.ts';
import { confirmationPage, donePage, invalidPage, unsubscribeHeaders } from './unsubscribe-page.ts';
import type { UnsubscribeTokens } from './unsubscribe-token.ts';

interface Options {
  mail: {
    preferences: MailPreferences;
    tokens: UnsubscribeTokens;
    delivery: NotificationSettings['delivery'];
  };
  accounts: AccountService;
  publicUrl: string;
  addressOf: ClientAddress;
  logEvent: LogEvent;
}

/** The notifications of the signed-in account. The dashboard calls them; they are not part of the Public API. */
export const notificationRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  const { mail, accounts, addressOf, logEvent } = options;
  const origin = (request: FastifyRequest) => originOf(request, addressOf(request.raw));

  /** @throws {RequestError} session_over */
  async function requireUser(request: FastifyRequest, reply: FastifyReply) {
    reply.header('cache-control', 'no-store');
    const session = await accounts.findSession(authHeaders(request, addressOf(request.raw)));
    if (session !== null) return session.user;
    throw new RequestError({ code: 'session_over', message: 'Your session has ended. Sign in again.' });
  }

  app.get(
    '/api/notifications',
    { schema: { hide: true, response: { 200: notificationSettingsSchema } } },
    async (request, reply) => {
      const user = await requireUser(request, reply);
      return { ...(await mail.preferences.read(user.id)), delivery: mail.delivery };
    },
  );

  app.put(
    '/api/notifications',
    { schema: { hide: true, body: notificationsSchema, response: { 200: notificationSettingsSchema } } },
    async (request, reply) => {
      const user = await requireUser(request, reply);
      const actor = personActor(user, origin(request));
      const { preferences, isChanged } = await mail.preferences.replace(actor, request.body);
      if (isChanged) logEvent(request, 'notifications changed', { accountId: user.id });
      return { ...preferences, delivery: mail.delivery };
    },
  );

  await app.register(unsubscribeRoutes, options);
};

/**
 * One-click unsubscribe (RFC 8058), without a session. A GET changes nothing, because programs that scan emails follow
 * their links.
 */
const unsubscribeRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  const { mail, addressOf, logEvent } = options;
  const basePath = basePathOf(options.publicUrl);
  // The token says everything, so the body is ignored: mail programs send `List-Unsubscribe=One-Click` as a form.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 4096 }, (_request, _body, done) =>
    done(null),
  );
  const params = z.object({ token: z.string() });
  const send = (reply: FastifyReply, status: number, page: string) =>
    reply
      .code(status)
      .headers(unsubscribeHeaders)
      .type('text/html; charset=utf-8')
      .serializer(String)
      .send(page);

  app.get('/unsubscribe/:token', { schema: { hide: true, params } }, async (request, reply) => {
    const subscription = mail.tokens.read(request.params.token);
    return subscription === undefined
      ? send(reply, 404, invalidPage(basePath))
      : send(reply, 200, confirmationPage(topicOf(subscription.kind)));
  });

  app.post('/unsubscribe/:token', { schema: { hide: true, params } }, async (request, reply) => {
    const subscription = mail.tokens.read(request.params.token);
    if (subscription === undefined) return send(reply, 404, invalidPage(basePath));
    const { userId, kind } = subscription;
    const origin = originOf(request, addressOf(request.raw));
    const { isChanged } = await mail.preferences.unsubscribe(userId, kind, origin);
    if (isChanged) logEvent(request, 'notifications changed', { accountId: userId });
    return send(reply, 200, donePage(topicOf(kind), basePath));
  });
};
