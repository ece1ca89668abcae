import { type MailKind, mailKindSchema } from '@soku/contract/notifications';
import type { MailNotice } from './notice.ts';

/** The texts of a kind of email. */
interface Texts {
  /** The subject, for one target and for several. */
  one: (notice: MailNotice) => string;
  many: (notice: MailNotice) => string;
  /** What happened, in one sentence, and what to do. */
  body: string | ((notice: MailNotice) => string);
  /** What the emails of this kind are about, as in "Turn off emails about ...". */
  topic: string;
}

const nameOf = ({ targets }: MailNotice) => targets[0]?.name ?? '';
const things = (count: number, which = '') =>
  `${count.toLocaleString('en')} ${which}${count === 1 ? 'key' : 'keys'}`;
const isWarning = ({ action }: MailNotice) => action === 'key.policy_warned';

const texts: Record<MailKind, Texts> = {
  keyCreated: {
    one: (notice) => (notice.action === 'key.imported' ? '1 key imported' : `Key created: ${nameOf(notice)}`),
    many: ({ action, count }) => `${things(count)} ${action === 'key.imported' ? 'imported' : 'created'}`,
    body: 'If you did not expect this, revoke what was created and find out who has access.',
    topic: 'created keys',
  },
  keyRotated: {
    one: (notice) => `Key rotated: ${nameOf(notice)}`,
    many: ({ count }) => `${things(count)} rotated`,
    body: 'Programs that still use an older secret must get the new one before the older one is retired.',
    topic: 'rotated keys',
  },
  keyRevoked: {
    one: (notice) =>
      notice.action === 'workspace.keys_revoked' ? 'All keys revoked' : `Key revoked: ${nameOf(notice)}`,
    many: ({ action, count }) => {
      return action === 'workspace.keys_revoked'
        ? `All ${things(count)} revoked`
        : `${things(count)} revoked`;
    },
    body: 'Every server rejects requests with a revoked key. This cannot be undone.',
    topic: 'revoked keys',
  },
  keyExpiring: {
    one: (notice) => `Key expires soon: ${nameOf(notice)}`,
    many: ({ count }) => `${things(count)} expire soon`,
    body: 'Requests with an expired key are rejected. If it is still needed, extend its expiry.',
    topic: 'expiring keys',
  },
  keyIdle: {
    one: (notice) =>
      isWarning(notice)
        ? `Idle key will be disabled: ${nameOf(notice)}`
        : `Idle key disabled: ${nameOf(notice)}`,
    many: (notice) => `${things(notice.count, 'idle ')} ${isWarning(notice) ? 'will be ' : ''}disabled`,
    body: (notice) =>
      isWarning(notice)
        ? 'A policy of this workspace disables unused keys. A key that is used before then stays enabled. If no program needs it anymore, revoke it.'
        : 'A policy of this workspace disables unused keys. Requests with a disabled key are rejected. If a program still needs it, enable it again; otherwise revoke it.',
    topic: 'idle keys',
  },
  rotationDue: {
    one: (notice) => `Key due for rotation: ${nameOf(notice)}`,
    many: ({ count }) => `${things(count)} due for rotation`,
    body: 'A policy of this workspace limits the age of secrets. A secret past this age stays valid, but should be replaced: rotate the key, and give programs the new secret before the grace period ends.',
    topic: 'keys due for rotation',
  },
  webhookDisabled: {
    one: (notice) => `Webhook disabled: ${nameOf(notice)}`,
    many: ({ count }) => `${count.toLocaleString('en')} webhooks disabled`,
    body: 'A disabled webhook receives nothing. Its events wait, and are sent when someone enables it. If it is no longer needed, delete it.',
    topic: 'disabled webhooks',
  },
  leakReported: {
    one: (notice) => `Key leaked: ${nameOf(notice)}`,
    many: ({ count }) => `${things(count)} leaked`,
    body: ({ count }) =>
      `GitHub found a secret of ${count === 1 ? 'this key' : 'each of these keys'} in a public place. Anyone else who finds it can use it, even after you remove it there. Revoke the key, or rotate it without a grace period if a program needs it, unless your workspace revokes leaked keys automatically. Then check its usage for requests that are not yours.`,
    topic: 'leaked keys',
  },
  endedSecretUsed: {
    one: (notice) => `Revoked secret in use: ${nameOf(notice)}`,
    many: ({ count }) => `Revoked secrets of ${things(count)} in use`,
    body: 'A program sends a secret that is revoked or retired. The requests are rejected. Either a program still needs the new secret, or someone else has the old one.',
    topic: 'revoked secrets in use',
  },
  newSignIn: {
    one: () => 'New sign-in to your account',
    many: ({ count }) => `${count.toLocaleString('en')} new sign-ins to your account`,
    body: 'Someone signed in with your password in a browser that had not been used for your account before. If it was not you, change your password now: this also ends all other sessions.',
    topic: 'new sign-ins',
  },
  passwordChanged: {
    one: () => 'Your password was changed',
    many: () => 'Your password was changed several times',
    body: 'If it was not you, ask the operator of this server to reset your password.',
    topic: 'changed passwords',
  },
};

/** The subject: a single line, because stored names are. */
export function subjectOf(notice: MailNotice): string {
  const { one, many } = texts[notice.kind];
  return notice.count === 1 ? one(notice) : many(notice);
}

export function bodyOf(notice: MailNotice): string {
  const { body } = texts[notice.kind];
  return typeof body === 'string' ? body : body(notice);
}

export function topicOf(kind: string): string {
  return texts[mailKindSchema.parse(kind)].topic;
}
