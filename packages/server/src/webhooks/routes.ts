import {
  createWebhookSchema,
  deliveryIdSchema,
  deliveryPageSchema,
  deliverySchema,
  listDeliveriesSchema,
  rotateSigningSecretSchema,
  updateWebhookSchema,
  webhookIdSchema,
  webhookListSchema,
  webhookSchema,
  webhookWithSecretSchema,
} from '@soku/contract/webhooks';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Callers, workspaceHeader } from '../http/caller.ts';
import { callerIds, type LogEvent } from '../http/event-log.ts';
import { keyErrorResponses } from '../http/openapi.ts';
import type { DeliveryService } from './delivery-service.ts';
import type { WebhookService } from './service.ts';

interface Options {
  webhooks: WebhookService;
  deliveries: DeliveryService;
  callers: Callers;
  logEvent: LogEvent;
}

const description = 'Requires a session of a signed-in user. No scope allows a key to make this call.';
const shared = { tags: ['Webhooks'], security: [{ session: [] }], headers: workspaceHeader };
const reading = ['insufficient_scope', 'session_required', 'not_found', 'verification_unavailable'] as const;
const writing = [...reading, 'cross_origin', 'payload_too_large', 'unsupported_media_type'] as const;
// A webhook receives all that happens in the workspace, so what can redirect its events needs a recent sign-in.
const changing = [...writing, 'recent_login_required'] as const;
const webhookParams = z.object({ id: webhookIdSchema });
const deliveryParams = webhookParams.extend({ deliveryId: deliveryIdSchema });

/** Webhooks, which send the events of a workspace to URLs. */
export const webhookRoutes: FastifyPluginAsyncZod<Options> = async (
  app,
  { webhooks, deliveries, callers, logEvent },
) => {
  const personOnly = callers.require('keys:write', { key: false });
  const recentOnly = callers.require('keys:write', { key: false, recentLogin: true });

  app.route({
    method: 'GET',
    url: '/v1/webhooks',
    schema: {
      operationId: 'listWebhooks',
      summary: 'List webhooks',
      description,
      ...shared,
      response: { 200: webhookListSchema, ...keyErrorResponses(...reading) },
    },
    ...personOnly,
    handler: async (request) => webhooks.list(callers.of(request).workspaceId),
  });

  app.route({
    method: 'POST',
    url: '/v1/webhooks',
    schema: {
      operationId: 'createWebhook',
      summary: 'Create a webhook',
      description: `${description} The response contains the signing secret, which is shown only once.`,
      ...shared,
      body: createWebhookSchema,
      response: { 201: webhookWithSecretSchema, ...keyErrorResponses(...changing, 'too_many_webhooks') },
    },
    ...recentOnly,
    handler: async (request, reply) => {
      const created = await webhooks.create(callers.of(request), request.body);
      logEvent(request, 'webhook created', {
        ...callerIds(callers.of(request)),
        webhookId: created.webhook.id,
      });
      return reply.code(201).header('cache-control', 'no-store').send(created);
    },
  });

  app.route({
    method: 'PATCH',
    url: '/v1/webhooks/:id',
    schema: {
      operationId: 'updateWebhook',
      summary: 'Change, disable or enable a webhook',
      description,
      ...shared,
      params: webhookParams,
      body: updateWebhookSchema,
      response: { 200: webhookSchema, ...keyErrorResponses(...changing) },
    },
    ...recentOnly,
    handler: async (request) => {
      const { id } = request.params;
      const changed = await webhooks.update(callers.of(request), id, request.body);
      logEvent(request, 'webhook changed', { ...callerIds(callers.of(request)), webhookId: id });
      return changed;
    },
  });

  app.route({
    method: 'DELETE',
    url: '/v1/webhooks/:id',
    schema: {
      operationId: 'deleteWebhook',
      summary: 'Delete a webhook and its deliveries',
      description,
      ...shared,
      params: webhookParams,
      response: { 204: z.null().describe('Deleted'), ...keyErrorResponses(...writing) },
    },
    ...personOnly,
    handler: async (request, reply) => {
      const { id } = request.params;
      await webhooks.delete(callers.of(request), id);
      logEvent(request, 'webhook deleted', { ...callerIds(callers.of(request)), webhookId: id });
      return reply.code(204).send(null);
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/webhooks/:id/rotate-secret',
    schema: {
      operationId: 'rotateWebhookSecret',
      summary: 'Rotate the signing secret of a webhook',
      description: `${description} The response contains the new signing secret, which is shown only once. Until the grace period ends, requests have a signature for each secret.`,
      ...shared,
      params: webhookParams,
      body: rotateSigningSecretSchema,
      response: { 201: webhookWithSecretSchema, ...keyErrorResponses(...changing, 'too_many_secrets') },
    },
    ...recentOnly,
    handler: async (request, reply) => {
      const { id } = request.params;
      const { graceSeconds } = request.body;
      const rotated = await webhooks.rotateSecret(callers.of(request), id, graceSeconds);
      logEvent(request, 'webhook secret rotated', { ...callerIds(callers.of(request)), webhookId: id });
      return reply.code(201).header('cache-control', 'no-store').send(rotated);
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/webhooks/:id/test',
    schema: {
      operationId: 'testWebhook',
      summary: 'Send a test event',
      description: `${description} The event is sent in the background; the list of deliveries has its outcome.`,
      ...shared,
      params: webhookParams,
      response: { 202: deliverySchema, ...keyErrorResponses(...writing) },
    },
    ...personOnly,
    handler: async (request, reply) =>
      reply.code(202).send(await deliveries.sendTest(callers.of(request), request.params.id)),
  });

  app.route({
    method: 'GET',
    url: '/v1/webhooks/:id/deliveries',
    schema: {
      operationId: 'listWebhookDeliveries',
      summary: 'List the deliveries of a webhook',
      description: `${description} They are kept for 30 days after their last attempt.`,
      ...shared,
      params: webhookParams,
      querystring: listDeliveriesSchema,
      response: { 200: deliveryPageSchema, ...keyErrorResponses(...reading) },
    },
    ...personOnly,
    handler: async (request) =>
      deliveries.list(callers.of(request).workspaceId, request.params.id, request.query),
  });

  app.route({
    method: 'POST',
    url: '/v1/webhooks/:id/deliveries/:deliveryId/redeliver',
    schema: {
      operationId: 'redeliverWebhookEvent',
      summary: 'Send an event again',
      description: `${description} The event is sent in the background, with the same webhook-id.`,
      ...shared,
      params: deliveryParams,
      response: { 202: deliverySchema, ...keyErrorResponses(...writing) },
    },
    ...personOnly,
    handler: async (request, reply) => {
      const { id, deliveryId } = request.params;
      return reply.code(202).send(await deliveries.redeliver(callers.of(request), id, deliveryId));
    },
  });
};
