/** A key has one limit, independent of which secret is used and of what the cache has evicted. */

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import fc from 'fast-check';
import { runCount } from '../../../../test/support/run-count.ts';
import { unrestrictedKey } from '../../../../test/support/verified-key.ts';
import { AddressLimits } from '../limits/address-limits.ts';
import { consume, type LimitWindow } from '../limits/sliding-window.ts';
import { GrantingVerifier } from './granting-verifier.ts';
import { SecretCache } from './secret-cache.ts';
import { VerificationCounts } from './verification-counts.ts';
import { Verifier } from './verifier.ts';

const quota = 5;
const start = 1_700_000_000_000;

/** Two secrets of each of three keys. */
const secrets = Array.from({ length: 6 }, (_, i) => {
  const secret = generateKey({ prefix: 'soku_' });
  return { secret, hash: hash('sha256', secret, 'binary'), keyId: `key_${i >> 1}` };
});
const keyOf = new Map(secrets.map((one) => [one.hash, one.keyId]));

/** A verifier with this cache size. */
function newVerifier(valid: number) {
  const clock = { now: start };
  const cache = new SecretCache({ valid, rejected: 1 });
  const decider = new Verifier({
    secrets: {
      read: (sha256) => {
        const key = {
          ...unrestrictedKey,
          keyId: keyOf.get(sha256) ?? '',
          rateLimit: quota,
        };
        return { stored: { key }, mayCache: () => true };
      },
    },
    lease: { holds: () => true },
    cache,
    prefixes: ['soku_'],
    addressLimits: new AddressLimits('off'),
    counts: new VerificationCounts(),
    now: () => clock.now,
    failed: (error) => assert.fail(String(error)),
  });
  return { clock, cache, verifier: new GrantingVerifier(decider) };
}

const kinds = ['verify', 'verify', 'verify', 'verify', 'evict', 'clear', 'time', 'sweep'] as const;
const step = fc.record({
  kind: fc.constantFrom(...kinds),
  secret: fc.constantFrom(...secrets),
  seconds: fc.integer({ min: 1, max: 70 }),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A verifier and the expected window of each key. */
class World {
  readonly #subject: ReturnType<typeof newVerifier>;
  readonly #windows = new Map<string, LimitWindow>();

  constructor(valid: number) {
    this.#subject = newVerifier(valid);
  }

  readonly steps: Record<Step['kind'], (step: Step) => void | Promise<void>> = {
    verify: async ({ secret: { secret, keyId } }) => {
      const { passed, remaining } = consume(this.#windowOf(keyId), 'key', quota, this.#now);
      const { limit, problem } = await this.#subject.verifier.verifyKey(secret);
      assert.deepEqual([problem === undefined, limit?.remaining], [passed, remaining]);
    },
    evict: ({ secret }) => this.#subject.cache.evict([Buffer.from(secret.hash, 'latin1')]),
    clear: () => this.#subject.cache.clear(),
    time: ({ seconds }) => {
      this.#subject.clock.now += seconds * 1000;
    },
    sweep: () => this.#subject.cache.windows.sweep(this.#now),
  };

  /** After a restart each key continues with the window that was saved. */
  assertWritten(): void {
    const written = new Map(this.#subject.cache.windows.counting(this.#now));
    for (const [keyId, window] of this.#windows) {
      const restored = { ...(written.get(keyId) ?? none) };
      assert.deepEqual(consume(restored, 'key', quota, this.#now), consume(window, 'key', quota, this.#now));
    }
  }

  get #now(): number {
    return this.#subject.clock.now;
  }

  #windowOf(keyId: string): LimitWindow {
    const window = this.#windows.get(keyId) ?? { ...none };
    this.#windows.set(keyId, window);
    return window;
  }
}

const none: LimitWindow = { minute: 0, current: 0, previous: 0 };

test('with any evictions and reloads, a request passes exactly if the window of its key has room', async () => {
  const steps = fc.array(step, { maxLength: 80, size: 'max' });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 7 }), steps, async (valid, all) => {
      const world = new World(valid);
      for (const one of all) await world.steps[one.kind](one);
      world.assertWritten();
    }),
    { numRuns: runCount(100, 3000) },
  );
});
