import { type EarlierAttempt, earlierAttemptSchema } from '@soku/contract/webhooks';
import { z } from 'zod';
import type { DeliveryRow } from './store.ts';

/** Attempts that are stored besides the last one: all of a delivery, and those of one that was sent again. */
const maxEarlier = 20;

/** The attempt that a row describes by itself, and those before it. */
export type AttemptColumns = Pick<
  DeliveryRow,
  'attempted_at' | 'duration_ms' | 'response_status' | 'error' | 'earlier_attempts'
>;

const storedSchema = z.array(earlierAttemptSchema);

export function readEarlierAttempts({
  earlier_attempts,
}: Pick<AttemptColumns, 'earlier_attempts'>): EarlierAttempt[] {
  return earlier_attempts === null ? [] : storedSchema.parse(JSON.parse(earlier_attempts));
}

/** The value of `earlier_attempts` when another attempt has ended. */
export function addEarlierAttempt(row: AttemptColumns): string | null {
  const { attempted_at, duration_ms, response_status, error } = row;
  if (attempted_at === null) return null;
  const last: EarlierAttempt = {
    at: new Date(attempted_at).toISOString(),
    durationMs: duration_ms ?? 0,
    status: response_status,
    error,
  };
  return JSON.stringify([last, ...readEarlierAttempts(row)].slice(0, maxEarlier));
}
