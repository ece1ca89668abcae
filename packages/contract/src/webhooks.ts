/** Requests and responses of the webhook endpoints. */
import { z } from 'zod';
import { type Action, actionSchema } from './audit.ts';
import { instantSchema, msPerHour } from './instant.ts';
import { isPrintable } from './visible-text.ts';

/** Maximum number of webhooks of a workspace. */
export const maxWebhooks = 20;

/** In characters. */
export const maxWebhookUrlLength = 2000;

/** In characters. */
export const maxWebhookDescriptionLength = 200;

/** Maximum number of signing secrets of a webhook that are not retired. */
export const maxSigningSecrets = 5;

/** In seconds. */
export const signingSecretGraceSeconds = { default: 86_400, max: 604_800 };

/** ms for which all attempts must have failed before a webhook is disabled. */
export const disableWebhookAfterMs = 72 * msPerHour;

/** The type of test events, which is not an action of the audit log. */
export const testEventType = 'webhook.test';

/** The actions of which a workspace has events. Sign-ins and accounts are not part of a workspace. */
export const webhookActions: readonly Action[] = actionSchema.options.filter(
  (action) => !/^(account|backup|database)\./.test(action),
);

export const webhookIdSchema = z.string().regex(/^whk_[0-9a-z]{26}$/, 'must be the id of a webhook');
export const deliveryIdSchema = z.string().regex(/^whd_[0-9a-z]{26}$/, 'must be the id of a delivery');

export const webhookSchema = z
  .object({
    id: z.string(),
    url: z.string(),
    description: z.string().describe('Empty if there is none'),
    events: z
      .array(z.string())
      .describe('The actions that it receives; `*`: all, including those of later versions'),
    createdAt: instantSchema,
    createdBy: z.string().describe('The id of an account'),
    failingSince: instantSchema
      .nullable()
      .describe(
        'The first failed attempt since the last successful one, or since it was created or enabled; null: none failed',
      ),
    disabledAt: instantSchema.nullable().describe('null while events are sent'),
    disabledReason: z
      .enum(['person', 'failing'])
      .nullable()
      .describe(
        'Whether a person has disabled it, or the server, because all attempts failed for three days or the receiver responded with 410',
      ),
    secrets: z
      .array(
        z.object({
          createdAt: instantSchema,
          retiresAt: instantSchema
            .nullable()
            .describe('The time until which requests are also signed with it; null: it is the newest'),
        }),
      )
      .describe('The signing secrets in use, newest first, without their values'),
  })
  .meta({ id: 'Webhook' });
export type Webhook = z.infer<typeof webhookSchema>;

export const webhookListSchema = z
  .object({ data: z.array(webhookSchema).describe('In the order of creation') })
  .meta({ id: 'WebhookList' });
export type WebhookList = z.infer<typeof webhookListSchema>;

export const webhookWithSecretSchema = z
  .object({
    webhook: webhookSchema,
    secret: z
      .string()
      .describe('The signing secret, `whsec_` and base64. No other response contains it, so store it now'),
  })
  .meta({ id: 'WebhookWithSecret' });
export type WebhookWithSecret = z.infer<typeof webhookWithSecretSchema>;

const urlSchema = z
  .string()
  .trim()
  .max(maxWebhookUrlLength, `must have at most ${maxWebhookUrlLength} characters`)
  .refine((text) => URL.canParse(text), 'must be a URL')
  .describe('Receives a POST request for each event. https, unless the operator allows the host');

const descriptionSchema = z
  .string()
  .trim()
  .refine(
    (text) => [...text].length <= maxWebhookDescriptionLength,
    `must have at most ${maxWebhookDescriptionLength} characters`,
  )
  .refine(isPrintable, 'must not contain control or invisible characters');

const eventsSchema = z
  .array(z.enum(['*', ...webhookActions], 'must be * or an action of the audit log that a workspace has'))
  .min(1, 'must have at least one event')
  .max(100, 'must have at most 100 events')
  .refine((events) => !events.includes('*') || events.length === 1, 'must have no other event besides *')
  .transform((events) => [...new Set(events)].sort())
  .describe('The actions to receive; `["*"]`: all, including those of later versions');

export const createWebhookSchema = z
  .strictObject({
    url: urlSchema,
    description: descriptionSchema.default(''),
    events: eventsSchema.default(['*']),
  })
  .meta({ id: 'CreateWebhook' });
export type CreateWebhook = z.output<typeof createWebhookSchema>;

export const updateWebhookSchema = z
  .strictObject({
    url: urlSchema.optional(),
    description: descriptionSchema.optional(),
    events: eventsSchema.optional(),
    disabled: z
      .boolean()
      .optional()
      .describe('While it is disabled, its events wait. They are sent when it is enabled'),
  })
  .meta({ id: 'UpdateWebhook' });
export type UpdateWebhook = z.output<typeof updateWebhookSchema>;

export const rotateSigningSecretSchema = z
  .strictObject({
    graceSeconds: z
      .int()
      .min(0)
      .max(signingSecretGraceSeconds.max)
      .default(signingSecretGraceSeconds.default)
      .describe('How long requests are also signed with the older secrets'),
  })
  .meta({ id: 'RotateSigningSecret' });

export const deliveryStatusSchema = z.enum(['pending', 'succeeded', 'failed']);
export type DeliveryStatus = z.infer<typeof deliveryStatusSchema>;

/** An attempt of a delivery before the last one. Its response is not kept. */
export const earlierAttemptSchema = z.object({
  at: instantSchema,
  durationMs: z.int(),
  status: z.int().nullable().describe('The HTTP status of the response; null if there was none'),
  error: z.string().nullable().describe('Why the attempt failed; null if it succeeded'),
});
export type EarlierAttempt = z.infer<typeof earlierAttemptSchema>;

export const deliverySchema = z
  .object({
    id: z.string().describe('The header `webhook-id` of each attempt'),
    eventId: z.string().nullable().describe('The id of the audit event; null for a test event'),
    type: z.string().describe(`The action of the event, or \`${testEventType}\``),
    status: deliveryStatusSchema.describe('pending: a first or a further attempt follows'),
    createdAt: instantSchema,
    attempts: z.int().describe('Attempts since it was created, or since a person last sent it again'),
    nextAttemptAt: instantSchema.nullable().describe('null: no further attempt'),
    request: z.object({
      headers: z
        .record(z.string(), z.string())
        .describe(
          'Those of the last attempt, except `user-agent` and `webhook-signature`, which are not stored',
        ),
      body: z.string().describe('JSON'),
    }),
    lastAttempt: earlierAttemptSchema
      .extend({
        body: z.string().nullable().describe('The first kilobyte of the response; null if there was none'),
      })
      .nullable()
      .describe('null before the first attempt has ended'),
    earlierAttempts: z
      .array(earlierAttemptSchema)
      .describe('The attempts before the last one, newest first, at most 20'),
  })
  .meta({ id: 'WebhookDelivery' });
export type Delivery = z.infer<typeof deliverySchema>;

export const listDeliveriesSchema = z.strictObject({
  status: z
    .enum(['failed'], 'must be failed')
    .optional()
    .describe('Only deliveries that failed and are not retried anymore'),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: deliveryIdSchema.optional().describe('nextCursor of the previous page'),
});
export type ListDeliveries = z.infer<typeof listDeliveriesSchema>;

export const deliveryPageSchema = z
  .object({ data: z.array(deliverySchema).describe('Newest first'), nextCursor: z.string().nullable() })
  .meta({ id: 'WebhookDeliveryPage' });
export type DeliveryPage = z.infer<typeof deliveryPageSchema>;
