import { type MailKind, mailKindSchema } from '@soku/contract/notifications';
import { z } from 'zod';
import { noOrigin } from '../events/actor.ts';
import { accountsChain } from '../events/events.ts';
import type { SealedEvent } from '../outbox/sealed-events.ts';

/** Maximum number of names in an email. */
export const maxNames = 10;

/**
 * What an email reports: one action, on one thing or on several. It is stored as JSON and becomes text only when it is
 * sent. It contains no key, no hash and nothing of a session.
 */
export const noticeSchema = z.object({
  kind: mailKindSchema,
  /** The action of the events, or `key.expiring`. */
  action: z.string(),
  /** ISO 8601, of the first event. */
  at: z.string(),
  /** ISO 8601, of the last event, if it was later. */
  until: z.string().optional(),
  /** `address` and `userAgent` are null if the events differ in them. */
  actor: z.object({
    kind: z.string(),
    name: z.string(),
    address: z.string().nullable(),
    userAgent: z.string().nullable(),
  }),
  /** The number of keys, or of other targets. */
  count: z.int(),
  /** The first of them. */
  targets: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      name: z.string(),
      /** Only for expiring keys. */
      expiresAt: z.string().optional(),
      /** Only for idle keys, ISO 8601. Those that are disabled already have no `disablesAt`. */
      idle: z.object({ since: z.string(), disablesAt: z.string().optional() }).optional(),
      /** Only for keys due for rotation, ISO 8601: the creation of the newest secret. */
      secretCreatedAt: z.string().optional(),
      /** Only for webhooks that the server disabled. `since`: ISO 8601, the first failed attempt. */
      failure: z.object({ since: z.string(), lastError: z.string(), isGone: z.boolean() }).optional(),
      /** Only for leaked keys: a URL, or what GitHub calls the source, and in how many places. */
      found: z.object({ place: z.string(), places: z.int() }).optional(),
    }),
  ),
});
export type MailNotice = z.infer<typeof noticeSchema>;

/** A notice, and whom it concerns. */
export interface GroupedNotice {
  notice: MailNotice;
  /** Emails with the same key are about the same kind of action by the same actor. */
  groupKey: string;
  /** null: a notice about one account. */
  workspaceId: string | null;
  /** Only this account; null: all members of the workspace. */
  userId: string | null;
}

const leakAction = 'key.leak_reported';

const leakSchema = z.object({
  url: z.string().nullish(),
  source: z.string().catch('unknown'),
  places: z.int().catch(1),
});

const warnAction = 'key.policy_warned';

/** The details of the events of the policy that disables idle keys (hygiene/idle-events.ts). */
const idleSchema = z
  .object({
    policy: z.literal('maxKeyIdleDays'),
    idleSince: z.string(),
    disablesAt: z.string().optional(),
  })
  .transform(({ idleSince: since, disablesAt }) => ({ since, disablesAt }));

/** The details of a warning that a secret is older than the policy (hygiene/age-policy.ts). */
const ageSchema = z.object({ policy: z.literal('maxSecretAgeDays'), secretCreatedAt: z.string() });

/** The details of a webhook that the server disabled (webhooks/events.ts). Earlier versions did not record the reason. */
const failureSchema = z
  .object({ failingSince: z.string(), lastError: z.string(), reason: z.string().optional() })
  .transform(({ failingSince: since, lastError, reason }) => ({
    since,
    lastError,
    isGone: reason === 'gone',
  }));

const disableAction = 'webhook.disabled';

const kinds = new Map<string, MailKind>([
  ['key.created', 'keyCreated'],
  ['key.imported', 'keyCreated'],
  ['key.rotated', 'keyRotated'],
  ['key.revoked', 'keyRevoked'],
  ['workspace.keys_revoked', 'keyRevoked'],
  ['key.ended_secret_used', 'endedSecretUsed'],
  [leakAction, 'leakReported'],
  [disableAction, 'webhookDisabled'],
  ['account.password_changed', 'passwordChanged'],
  ['account.password_reset', 'passwordChanged'],
]);

/** @returns undefined for an event that is not reported */
function kindOf({ action, details }: SealedEvent): MailKind | undefined {
  if (action === warnAction) return ageSchema.safeParse(details).success ? 'rotationDue' : 'keyIdle';
  if (action === 'key.updated') return idleSchema.safeParse(details).success ? 'keyIdle' : undefined;
  if (action === 'account.signed_in') return details?.newDevice === true ? 'newSignIn' : undefined;
  return kinds.get(action);
}

/** How many things an event concerns. */
function countOf({ action, details }: SealedEvent): number {
  const field = new Map([
    ['key.imported', 'imported'],
    ['workspace.keys_revoked', 'keys'],
  ]).get(action);
  const count = field === undefined ? 1 : details?.[field];
  return typeof count === 'number' ? count : 1;
}

/** Where GitHub found a leaked key. The URL was checked when the event was recorded (leaks/place.ts). */
function foundIn({ action, details }: SealedEvent): Pick<MailNotice['targets'][number], 'found'> {
  if (action !== leakAction) return {};
  const { url, source, places } = leakSchema.parse(details);
  return { found: { place: url ?? `an unknown place (${source})`, places } };
}

/** What a policy states about a key: how long it is idle, and when it is disabled, or the age of its secret. */
function policyIn({ details }: SealedEvent): Pick<MailNotice['targets'][number], 'idle' | 'secretCreatedAt'> {
  const idle = idleSchema.safeParse(details).data;
  const age = ageSchema.safeParse(details).data;
  return {
    ...(idle !== undefined && { idle }),
    ...(age !== undefined && { secretCreatedAt: age.secretCreatedAt }),
  };
}

/** Why the server disabled a webhook. */
function failureIn({ action, details }: SealedEvent): Pick<MailNotice['targets'][number], 'failure'> {
  const failure = action === disableAction ? failureSchema.safeParse(details).data : undefined;
  return failure === undefined ? {} : { failure };
}

/**
 * Adds an event to the notice of its group. A group has the events of one kind and action by one actor in one request, so a call
 * that revokes a thousand keys becomes one notice.
 */
export function addEvent(groups: Map<string, GroupedNotice>, event: SealedEvent): void {
  const kind = kindOf(event);
  const count = countOf(event);
  if (kind === undefined || count === 0) return;
  const { action, actor, target, chain } = event;
  const isOfAccount = chain === accountsChain;
  const groupKey = [chain, action, kind, actor.id, ...(isOfAccount ? [target.id] : [])].join(' ');
  const name = `${groupKey} ${actor.requestId ?? ''}`;
  const { kind: actorKind, name: actorName } = actor;
  // A report of a leak comes from GitHub, whose address says nothing about the leak.
  const { address, userAgent } = action === leakAction ? noOrigin : actor;
  const notice: MailNotice = {
    kind,
    action,
    at: event.at,
    actor: { kind: actorKind, name: actorName, address, userAgent },
    count,
    targets: [
      {
        ...{ id: target.id, kind: target.kind, name: target.name },
        ...foundIn(event),
        ...policyIn(event),
        ...failureIn(event),
      },
    ],
  };
  const known = groups.get(name);
  groups.set(name, {
    notice: known === undefined ? notice : mergeNotices(known.notice, notice),
    groupKey,
    workspaceId: isOfAccount ? null : chain,
    userId: isOfAccount ? target.id : null,
  });
}

/** Both notices, of the same group. */
export function mergeNotices(first: MailNotice, second: MailNotice): MailNotice {
  const [before, last] = [first.until ?? first.at, second.until ?? second.at];
  const { address, userAgent } = first.actor;
  return {
    ...first,
    ...(last > before && { until: last }),
    actor: {
      ...first.actor,
      address: address === second.actor.address ? address : null,
      userAgent: userAgent === second.actor.userAgent ? userAgent : null,
    },
    count: first.count + second.count,
    targets: [...first.targets, ...second.targets].slice(0, maxNames),
  };
}
