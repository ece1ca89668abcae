import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { generateKey, hashKey, parseKey } from '@soku/key';
import { openTemporarySqlite } from '../../../../test/support/temporary-sqlite.ts';
import { AddressLimits } from '../limits/address-limits.ts';
import { GrantingVerifier } from './granting-verifier.ts';
import { SecretCache } from './secret-cache.ts';
import { sqliteSecrets } from './sqlite-secrets.ts';
import { VerificationCounts } from './verification-counts.ts';
import { Verifier } from './verifier.ts';

const expiry = Date.parse('2030-01-01T00:00:00Z');
const { directory, database, close } = await openTemporarySqlite();
after(close);
const apiKey = await storeKey();

/** A key that expires at `expiry`, inserted directly into the tables. */
async function storeKey(): Promise<string> {
  const { kysely } = database;
  await kysely.insertInto('workspace').values({ id: 'ws_1', name: 'one', created_at: 0 }).execute();
  await kysely
    .insertInto('api_key')
    .values({
      id: 'key_1',
      workspace_id: 'ws_1',
      created_by: 'ada',
      name: 'deploy',
      name_folded: 'deploy',
      scopes: 'keys:read keys:write',
      expires_at: expiry,
      created_at: 0,
      revoked_at: null,
      revoked_by: null,
    })
    .execute();
  return (await insertSecret(0)).secret;
}

/** Another secret of the key. @returns the secret and the start of its preview */
async function insertSecret(createdAt: number): Promise<{ secret: string; start: string }> {
  const secret = generateKey({ prefix: 'soku_' });
  const preview = parseKey(secret, ['soku_']);
  assert.ok(preview !== null);
  await database.kysely
    .insertInto('api_key_secret')
    .values({
      hash: await hashKey(secret),
      key_id: 'key_1',
      prefix: preview.prefix,
      preview_start: preview.previewStart,
      preview_end: preview.previewEnd,
      created_at: createdAt,
    })
    .execute();
  return { secret, start: preview.previewStart };
}

/** A verifier with an empty cache, its own reader that a test may close, and a clock and a lease that a test may set. */
function newVerifier(now = expiry - 1, { addressLimit = 'off' }: { addressLimit?: number | 'off' } = {}) {
  const clock = { now };
  const lease = { held: true };
  const failures: unknown[] = [];
  const reader = new DatabaseSync(directory.databaseFile, { readOnly: true });
  after(() => reader.isOpen && reader.close());
  const cache = new SecretCache({ valid: 10, rejected: 10 });
  const decider = new Verifier({
    secrets: sqliteSecrets(reader, directory.lockMonitor, 'off'),
    lease: { holds: () => lease.held },
    cache,
    prefixes: ['soku_'],
    addressLimits: new AddressLimits(addressLimit),
    counts: new VerificationCounts(),
    now: () => clock.now,
    failed: (error) => failures.push(error),
  });
  return { decider, verifier: new GrantingVerifier(decider), cache, clock, lease, reader, failures };
}

function requestWith(key: string): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  request.rawHeaders = ['Authorization', `Bearer ${key}`];
  return request;
}

test('a key read from the database is valid until the exact millisecond of its expiry', async () => {
  const { key, limit } = await newVerifier(expiry - 1).verifier.verifyKey(apiKey);
  assert.equal(limit, null);
  assert.ok(key !== undefined);
  const { keyId, workspaceId, name, scopes, expiresAt, rateLimit } = key;
  assert.deepEqual(
    [keyId, workspaceId, name, scopes, expiresAt, rateLimit],
    ['key_1', 'ws_1', 'deploy', ['keys:read', 'keys:write'], expiry, null],
  );
  const { problem } = await newVerifier(expiry).verifier.verifyKey(apiKey);
  assert.equal(problem?.code, 'expired_key');
  assert.match(problem.message, /2030-01-01T00:00:00\.000Z/);
});

test('a cached key is valid until the exact millisecond of its expiry', async () => {
  const { verifier, clock, reader, failures } = newVerifier();
  assert.equal((await verifier.verifyKey(apiKey)).key?.keyId, 'key_1');
  // From here on only the cache has the key.
  reader.close();
  assert.equal((await verifier.verifyKey(apiKey)).key?.keyId, 'key_1');
  clock.now = expiry;
  assert.equal((await verifier.verifyKey(apiKey)).problem?.code, 'expired_key');
  clock.now = expiry - 1;
  assert.equal((await verifier.verifyKey(apiKey)).key?.keyId, 'key_1', 'a clock that is set back');
  assert.deepEqual(failures, []);
});

test('a key is rejected and the failure reported if the database does not respond', async () => {
  const { verifier, reader, failures } = newVerifier();
  reader.close();
  assert.equal((await verifier.verifyKey(apiKey)).problem?.code, 'verification_unavailable');
  assert.equal((await verifier.verifyKey(apiKey)).problem?.code, 'verification_unavailable');
  assert.equal(failures.length, 2);
  assert.ok(failures.every((failure) => failure instanceof Error));
});

test('an evicted key is read again', async () => {
  const { verifier, cache, reader, failures } = newVerifier();
  await verifier.verifyKey(apiKey);
  cache.evict([await hashKey(apiKey)]);
  reader.close();
  assert.equal((await verifier.verifyKey(apiKey)).problem?.code, 'verification_unavailable');
  assert.equal(failures.length, 1);
});

test('a secret is rejected from the exact millisecond of its retirement, while the key has another one', async () => {
  const older = await insertSecret(0);
  const newer = await insertSecret(1);
  const setLifecycle = (column: string, at: number) =>
    database.kysely
      .updateTable('api_key_secret')
      .set({ [column]: at })
      .where('preview_start', '=', older.start)
      .execute();
  await setLifecycle('retires_at', expiry - 100);
  const { verifier, clock } = newVerifier(expiry - 101);
  assert.equal((await verifier.verifyKey(older.secret)).key?.keyId, 'key_1');
  clock.now = expiry - 100;
  const { problem } = await verifier.verifyKey(older.secret);
  assert.equal(problem?.code, 'revoked_key');
  assert.match(problem.message, /rotated.*2029-12-31T23:59:59\.900Z/);
  assert.equal((await verifier.verifyKey(newer.secret)).key?.keyId, 'key_1');

  await setLifecycle('retired_at', expiry - 50);
  const late = newVerifier(0).verifier;
  assert.equal((await late.verifyKey(older.secret)).problem?.code, 'revoked_key', 'whatever the clock says');
  assert.equal((await late.verifyKey(newer.secret)).key?.keyId, 'key_1');
});

test('a cached key that was found to be revoked without a lease stays rejected with a lease', async () => {
  const { secret, start } = await insertSecret(2);
  const { verifier, lease } = newVerifier();
  assert.equal((await verifier.verifyKey(secret)).key?.keyId, 'key_1');
  await database.kysely
    .updateTable('api_key_secret')
    .set({ retired_at: expiry - 10 })
    .where('preview_start', '=', start)
    .execute();
  assert.equal((await verifier.verifyKey(secret)).key?.keyId, 'key_1', 'from the cache');
  lease.held = false;
  assert.equal((await verifier.verifyKey(secret)).problem?.code, 'revoked_key');
  lease.held = true;
  assert.equal((await verifier.verifyKey(secret)).problem?.code, 'revoked_key');
});

test('an unknown key stays rejected from the cache only while the lease is held, because it can be imported', async () => {
  const { verifier, lease, reader } = newVerifier();
  const unknown = generateKey({ prefix: 'soku_' });
  const codeOf = async () => (await verifier.verifyKey(unknown)).problem?.code;
  assert.equal(await codeOf(), 'unknown_key');
  reader.close();
  assert.equal(await codeOf(), 'unknown_key');
  lease.held = false;
  assert.equal(await codeOf(), 'verification_unavailable');
});

test('over the limit of an address, only responses to guesses are delayed, and at most 1,000 of them at a time', async () => {
  const { decider } = newVerifier(expiry - 1, { addressLimit: 1 });
  const end = Promise.withResolvers<void>();
  const verifier = new GrantingVerifier(decider, undefined, () => end.promise);
  const address = '192.0.2.1';
  const results: string[] = [];
  const verify = async (key: string) => {
    const { problem } = await verifier.verify(requestWith(key), { address });
    results.push(problem?.code ?? 'valid');
  };
  const takeResults = async () => {
    await turn();
    return results.splice(0);
  };
  await verify('x');
  assert.deepEqual(await takeResults(), ['malformed_key']);
  assert.equal((await verifier.verifyKey('x', { address })).problem?.code, 'rate_limited', 'from a back end');
  const late = Array.from({ length: 1000 }, () => verify('x'));
  await verify(apiKey);
  assert.deepEqual(await takeResults(), ['valid']);
  await verify('x');
  assert.deepEqual(await takeResults(), ['rate_limited']);
  end.resolve();
  await Promise.all(late);
  const ended = await takeResults();
  assert.deepEqual([ended.length, ...new Set(ended)], [1000, 'rate_limited']);
});
