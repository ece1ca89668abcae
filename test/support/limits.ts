import assert from 'node:assert/strict';
import { assertProblem } from './contract.ts';
import type { HttpResponse } from './person.ts';

/** The rate limit in the header fields of a response; fails unless both kinds of fields agree. */
export function limitOf({ headers }: HttpResponse) {
  const policy = /^"(key|address)";q=(\d+);w=60$/.exec(headers.get('ratelimit-policy') ?? '');
  const standing = /^"(key|address)";r=(\d+);t=(\d+)$/.exec(headers.get('ratelimit') ?? '');
  assert.ok(policy && standing, `${headers.get('ratelimit-policy')} ${headers.get('ratelimit')}`);
  assert.equal(policy[1], standing[1]);
  const [quota, remaining, reset] = [policy[2], standing[2], standing[3]].map(Number);
  const widespread = ['limit', 'remaining', 'reset'].map((name) => headers.get(`x-ratelimit-${name}`));
  assert.deepEqual(widespread.map(Number), [quota, remaining, reset]);
  return { policy: policy[1], quota, remaining, reset: reset ?? 0 };
}

/**
 * Fails unless the response is a complete 429.
 *
 * @param now epoch ms, by the clock of the server
 * @returns the seconds until a retry
 */
export function assertLimited(
  response: HttpResponse,
  policy: 'key' | 'address',
  quota: number,
  now: number,
): number {
  assertProblem(response, 'rate_limited', now);
  const limit = limitOf(response);
  assert.deepEqual([limit.policy, limit.quota, limit.remaining], [policy, quota, 0]);
  const retryAfter = Number(response.headers.get('retry-after'));
  assert.ok(retryAfter >= limit.reset && limit.reset >= 1, `${retryAfter} is not before ${limit.reset}`);
  assert.equal(response.headers.get('www-authenticate'), null);
  return retryAfter;
}

/**
 * Runs a test of a limit, and repeats it if it fails and a minute has ended in the meantime, because requests of the
 * previous minute then still count in part.
 *
 * @param work must use a new key or address each time
 */
export async function withinOneMinute<T>(work: () => Promise<T>): Promise<T> {
  const minute = () => Math.floor(Date.now() / 60_000);
  for (;;) {
    const started = minute();
    try {
      return await work();
    } catch (error) {
      if (minute() === started) throw error;
    }
  }
}

export function assertNoLimit({ headers }: HttpResponse): void {
  const names = [...headers.keys()].filter((name) => name.includes('ratelimit') || name === 'retry-after');
  assert.deepEqual(names, []);
}
