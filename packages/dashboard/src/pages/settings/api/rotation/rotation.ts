/** What the secrets of a key mean: which one is current, which ones are being replaced, and until when. */
import { msPerHour } from '@soku/contract/instant';
import type { Key } from '@soku/contract/keys';
import type { Secret } from '@soku/contract/secrets';

/** A rotation that has not ended: older secrets are still accepted. */
export interface KeyRotation {
  newest: Secret;
  /** Older secrets that are still accepted, newest first. */
  older: Secret[];
  /** The next older secret to retire, if the grace period has started. */
  next: { secret: Secret; at: number } | null;
  /** How long the older secrets are accepted after the first use of the newest one, in seconds, if that is awaited. */
  grace: number | null;
  isUnfinished: boolean;
}

/** How long programs may take to get a new secret before the dashboard calls the rotation unfinished, in ms. */
const unfinishedAfter = msPerHour;

/** Whether a secret is still accepted, as far as the key is. */
export function isAccepted({ retiredAt, retiresAt }: Secret, now: number): boolean {
  return retiredAt === null && (retiresAt === null || Date.parse(retiresAt) > now);
}

/** @returns null if the key has one secret, or is not accepted at all */
export function rotationOf(
  { secrets, status }: Pick<Key, 'secrets' | 'status'>,
  now: number,
): KeyRotation | null {
  if (status === 'revoked' || status === 'expired') return null;
  const [newest, ...older] = secrets.filter((secret) => isAccepted(secret, now));
  if (newest === undefined || older.length === 0) return null;
  const ends = older
    .flatMap((secret) => (secret.retiresAt === null ? [] : [{ secret, at: Date.parse(secret.retiresAt) }]))
    .sort((a, b) => a.at - b.at);
  const graces = older.flatMap(({ graceSeconds }) => graceSeconds ?? []);
  return {
    newest,
    older,
    next: ends[0] ?? null,
    grace: graces.length === 0 ? null : Math.min(...graces),
    isUnfinished: newest.lastUsedAt === null && now - Date.parse(newest.createdAt) >= unfinishedAfter,
  };
}

/** Secrets that are no longer accepted, newest first. */
export function endedSecrets({ secrets }: Pick<Key, 'secrets'>, now: number): Secret[] {
  return secrets.filter((secret) => !isAccepted(secret, now));
}

/** "24 hours", "7 days" or "90 minutes" */
export function formatGrace(seconds: number): string {
  const units = [
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
    ['second', 1],
  ] as const;
  // "24 hours" is exact; "1 day" could mean until midnight.
  const [name, size] =
    units.find(([unit, length]) => seconds % length === 0 && (unit !== 'day' || seconds > length)) ??
    units[3];
  const count = seconds / size;
  return count === 1 ? `1 ${name}` : `${count} ${name}s`;
}

/** The parts of a countdown, the largest first. Days only if there are any. */
export function countdown(ms: number): Array<{ unit: string; value: string }> {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const days = Math.floor(seconds / 86_400);
  return [
    ...(days > 0 ? [{ unit: 'd', value: String(days) }] : []),
    { unit: 'h', value: two(Math.floor(seconds / 3600) % 24) },
    { unit: 'min', value: two(Math.floor(seconds / 60) % 60) },
    { unit: 's', value: two(seconds % 60) },
  ];
}
