/** The email notifications of an account. Only the dashboard reads and changes them. */
import { z } from 'zod';

/** The kinds of emails that a person can turn off. */
export const optionalMailSchema = z.enum([
  'keyCreated',
  'keyRotated',
  'keyRevoked',
  'keyExpiring',
  'keyIdle',
  'rotationDue',
  'webhookDisabled',
]);
export type OptionalMail = z.infer<typeof optionalMailSchema>;

/** The kinds of emails about the security of an account or a workspace. They are always sent. */
export const securityMailSchema = z.enum(['leakReported', 'endedSecretUsed', 'newSignIn', 'passwordChanged']);

export const mailKindSchema = z.enum([...optionalMailSchema.options, ...securityMailSchema.options]);
export type MailKind = z.infer<typeof mailKindSchema>;

/** A name of the IANA time zone database that this program knows. */
export const timeZoneSchema = z
  .string()
  .regex(/^[A-Za-z0-9_+/-]{1,64}$/, 'must be a time zone such as Europe/Berlin')
  .refine(isTimeZone, 'must be a time zone such as Europe/Berlin');

/** The body of PUT /api/notifications. */
export const notificationsSchema = z.strictObject({
  mails: z.record(optionalMailSchema, z.boolean()).describe('Whether each kind is sent'),
  timeZone: timeZoneSchema.nullable().describe('For the times in emails; null: none was chosen, UTC'),
});
export type Notifications = z.infer<typeof notificationsSchema>;

/** The response of GET and PUT /api/notifications. */
export const notificationSettingsSchema = notificationsSchema.extend({
  delivery: z.enum(['smtp', 'outbox']).describe('outbox: emails are written to files, and not sent'),
});
export type NotificationSettings = z.infer<typeof notificationSettingsSchema>;

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}
