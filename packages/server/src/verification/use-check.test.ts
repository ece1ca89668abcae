/** With the fast check, a key is accepted exactly where its policy permits it, whatever was cached or changed before. */
import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import fc from 'fast-check';
import { runCount } from '../../../../test/support/run-count.ts';
import { unrestrictedKey } from '../../../../test/support/verified-key.ts';
import { AddressLimits } from '../limits/address-limits.ts';
import { parseAllowedAddresses } from './allowed-addresses.ts';
import { checkPolicy, type Policy } from './check-policy.ts';
import { hashSecret } from './hash-words.ts';
import type { VerifyOptions } from './result.ts';
import { SecretCache } from './secret-cache.ts';
import type { VerifiedKey } from './stored-secret.ts';
import { VerificationCounts } from './verification-counts.ts';
import { Verifier } from './verifier.ts';

const environments = ['live', 'live', 'test'] as const;

/** Every restriction that a key can have, apart from its limit. */
const policy = fc.record({
  scopes: fc.subarray(['files:read', 'files:*', '*', 'keys:read']),
  expiresAt: fc.constantFrom(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 3),
  retiresAt: fc.constantFrom(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 2),
  disabled: fc.constantFrom(false, false, false, true),
  environment: fc.constantFrom(...environments),
  allowedAddresses: fc
    .constantFrom('', '192.0.2.1', '192.0.2.0/24 2001:db8::/32', '::ffff:192.0.2.2 2001:db8::1', '::/0')
    .map(parseAllowedAddresses),
} satisfies Record<Exclude<keyof Policy, 'rateLimit'>, fc.Arbitrary<unknown>>);

/** The same arrays in all verifications, as most callers pass them, and new ones with the same text. */
const needs = fc.oneof(
  fc.constantFrom(undefined, ['files:read'], ['files:read', 'keys:read'], ['mail:send'], []),
  fc.constant(['files:read']).map((all) => [...all]),
);

const use = fc.record({
  address: fc.constantFrom(
    ...[undefined, '', 'unknown', '192.0.2.1', '::ffff:192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:DB8::1'],
  ),
  needs,
  denied: fc.constantFrom(undefined, undefined, undefined, {
    code: 'insufficient_scope',
    message: '',
  } as const),
  environment: fc.constantFrom(undefined, undefined, ...environments),
  recorded: fc.constantFrom(true, true, false),
});

const step = fc.record({
  change: fc.option(policy, { freq: 4, nil: undefined }),
  /** How the cache learns of a change. */
  by: fc.constantFrom('secret', 'workspace', 'all'),
  key: fc.nat(2),
  use,
  isHidden: fc.constantFrom(false, false, true),
  now: fc.constantFrom(1, 1, 2, 3),
});

const secrets = Array.from({ length: 3 }, () => generateKey({ prefix: 'soku_' }));
const request = new IncomingMessage(new Socket());

/** A verifier of three keys with room for two of them, and the keys as they are stored. */
class World {
  readonly stored = new Map<string, VerifiedKey>(
    secrets.map((secret, i) => [secret, { ...unrestrictedKey, keyId: `key_${i}` }]),
  );
  now = 0;
  isHidden = false;
  readonly #cache = new SecretCache({ valid: 2, rejected: 2 });
  readonly #verifier: Verifier;

  constructor(environment: 'live' | 'test' | 'any') {
    const byHash = new Map(secrets.map((secret) => [hashSecret(secret), secret]));
    this.#verifier = new Verifier({
      secrets: {
        read: (hash) => {
          const key = this.stored.get(byHash.get(hash) ?? '');
          return { stored: key && { key }, mayCache: () => true };
        },
      },
      lease: { holds: () => true },
      cache: this.#cache,
      prefixes: ['soku_'],
      environment,
      isClientHidden: () => this.isHidden,
      addressLimits: new AddressLimits('off'),
      counts: new VerificationCounts(),
      now: () => this.now,
      failed: (error) => assert.fail(String(error)),
    });
  }

  change(secret: string, key: VerifiedKey, by: 'secret' | 'workspace' | 'all'): void {
    this.stored.set(secret, key);
    if (by === 'all') this.#cache.clear();
    else if (by === 'workspace') this.#cache.evictWorkspace(key.workspaceId);
    else this.#cache.evict([Buffer.from(hashSecret(secret), 'latin1')]);
  }

  /** @returns 'accepted', or the code of the rejection */
  verify(secret: string, options: VerifyOptions): string {
    const verification = { options, userAgent: '', accept: () => 'accepted' as const, request };
    const decided = this.#verifier.verifyToken(secret, verification);
    if (typeof decided === 'string') return decided;
    assert.ok('problem' in decided);
    return decided.problem.code;
  }
}

/** What the policy of a key permits, without a cache. */
function expected(
  key: VerifiedKey,
  options: VerifyOptions,
  environment: 'live' | 'test' | 'any',
  world: World,
) {
  const address = world.isHidden && key.allowedAddresses !== null ? undefined : options.address;
  const problem = checkPolicy(key, { ...options, address, environment }, world.now);
  if (problem !== undefined) return problem.code;
  const isOther = options.environment !== undefined && options.environment !== key.environment;
  return isOther ? 'wrong_environment' : 'accepted';
}

test('a cached key is accepted exactly where its policy permits it, from the first use after a change', () => {
  const results = new Map<string, number>();
  const steps = fc.array(step, { minLength: 30, maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(fc.constantFrom(...environments, 'any'), steps, (environment, all) => {
      const world = new World(environment);
      for (const { change, by, key: number, use: options, isHidden, now } of all) {
        const secret = secrets[number] ?? '';
        Object.assign(world, { isHidden, now });
        const before = world.stored.get(secret) ?? unrestrictedKey;
        const key = { ...before, ...change };
        if (change !== undefined) world.change(secret, key, by);
        const result = world.verify(secret, options);
        assert.equal(result, expected(key, options, environment, world));
        results.set(result, (results.get(result) ?? 0) + 1);
      }
    }),
    { numRuns: runCount(100, 20_000) },
  );
  for (const code of ['accepted', 'expired_key', 'disabled_key', 'wrong_environment', 'ip_not_allowed'])
    assert.ok((results.get(code) ?? 0) > 50, `${code} is a common result`);
});
