/** What the page says about each kind of finding. */
import type { HygieneKind, HygienePolicy } from '@soku/contract/hygiene';

interface KindTexts {
  name: string;
  /** What the time of a finding means, as the head of its column. */
  since: string;
  text: string;
  /** Shown if no key is of this kind. */
  none: string;
}

export const kindTexts: Readonly<Record<HygieneKind, KindTexts>> = {
  rotation_unfinished: {
    name: 'Rotation unfinished',
    since: 'Rotated',
    text: 'No program uses the new secret yet, and the old one is still accepted.',
    none: 'No active key has an unfinished rotation.',
  },
  older_than_policy: {
    name: 'Past the maximum age',
    since: 'Due since',
    text: 'The newest secrets of these keys are older than the maximum age of this workspace.',
    none: 'No active key is past the maximum age.',
  },
  idle_90_days: {
    name: 'Idle for 90 days',
    since: 'Idle since',
    text: 'Programs have probably stopped using these keys.',
    none: 'No key is listed as idle for 90 days.',
  },
  idle_30_days: {
    name: 'Idle for 30 days',
    since: 'Idle since',
    text: 'Disable a key to find out whether a program still needs it. You can enable it again.',
    none: 'No key is listed as idle for 30 days.',
  },
  never_used: {
    name: 'Never used',
    since: 'Created',
    text: 'Created more than 7 days ago, and not used since.',
    none: 'No key is listed as never used.',
  },
  unrestricted: {
    name: 'Unrestricted',
    since: 'Created',
    text: 'Accepted from every address, and without scopes that limit what they can do.',
    none: 'Every active key is restricted by addresses or scopes.',
  },
  expires_too_late: {
    name: 'Expires too late',
    since: 'Expires',
    text: 'These keys expire later than the maximum lifetime allows.',
    none: 'No active key expires later than the maximum lifetime allows.',
  },
  never_expires: {
    name: 'Never expires',
    since: 'Created',
    text: 'A key that leaks unnoticed stays valid indefinitely.',
    none: 'Every active key has an expiration date.',
  },
};

/** What the page adds if a policy of the workspace concerns the listed keys. */
export const policyTexts: Readonly<Partial<Record<HygienePolicy, string>>> = {
  requireKeyExpiry: 'A policy requires an expiration date. These keys were created before it was set.',
  maxKeyLifetimeDays:
    'The maximum lifetime applies to new keys and new expiration dates. Existing keys stay as they are.',
  maxKeyIdleDays: 'A policy disables keys that stay unused, after two warnings.',
};
