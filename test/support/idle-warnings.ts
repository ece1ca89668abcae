import { msPerDay } from '@soku/contract/instant';

/** Changes rows directly, as `runSql` does. */
export type ChangeRows = (statement: string, ...values: (string | number)[]) => Promise<unknown>;

/** Epoch ms of some days ago. */
export function daysAgo(days: number): number {
  return Date.now() - days * msPerDay;
}

/** Records both warnings of a policy of 30 days for a key that was never used, so that it is disabled next. */
export async function warnTwice(change: ChangeRows, keyId: string): Promise<void> {
  await change(
    'INSERT INTO idle_warning (key_id, idle_since, days, first_at, last_at) SELECT id, created_at, 30, ?, ? FROM api_key WHERE id = ?',
    daysAgo(14),
    daysAgo(3),
    keyId,
  );
}
