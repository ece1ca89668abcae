/** What the page says about each kind of finding. */
import type { HygieneKind } from '@soku/contract/hygiene';

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
    none: 'Every rotation is finished.',
  },
  older_than_policy: {
    name: 'Older than the policy',
    since: 'Due since',
    text: 'Their secrets are older than the maximum age of this workspace.',
    none: 'No secret is older than the policy.',
  },
  idle_90_days: {
    name: 'Idle for 90 days',
    since: 'Last use',
    text: 'Probably no program needs them anymore.',
    none: 'No key has been idle for 90 days.',
  },
  idle_30_days: {
    name: 'Idle for 30 days',
    since: 'Last use',
    text: 'Disable a key to find out whether a program still needs it. You can enable it again.',
    none: 'No key has been idle for 30 days.',
  },
  never_used: {
    name: 'Never used',
    since: 'Created',
    text: 'Created more than 7 days ago, and not used since.',
    none: 'Every key is used within 7 days after its creation.',
  },
  unrestricted: {
    name: 'Unrestricted',
    since: 'Created',
    text: 'Accepted from every address, and without scopes that narrow what they may do.',
    none: 'Every key is restricted by addresses or scopes.',
  },
  never_expires: {
    name: 'Never expires',
    since: 'Created',
    text: 'A key that leaks unnoticed stays valid forever.',
    none: 'Every key expires.',
  },
};
