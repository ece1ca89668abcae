/** Imported keys of other formats: which tokens are looked up, and how unknown ones are rejected. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { ErrorCode } from '@soku/contract/error-codes';
import { keyListSchema } from '@soku/contract/keys';
import { generateKey } from '@soku/key';
import { assertProblem, Contract } from '../support/contract.ts';
import { call } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

/** A server with this setting, and ways to import and send tokens. */
async function withPrefixes(prefixes: string, more: Record<string, string> = {}) {
  const server = await sharedServer({ SOKU_IMPORTED_KEY_PREFIXES: prefixes, ...more });
  const contract = await Contract.of(server);
  const ada = await openSession(server);
  const send = (token: string) =>
    contract.call('GET', '/v1/me', { fields: [['Authorization', `Bearer ${token}`]] });
  return {
    server,
    ada,
    contract,
    send,
    importTokens: async (...tokens: string[]) => {
      const keys = tokens.map((token) => ({
        name: 'imported',
        hash: createHash('sha256').update(token).digest('base64url'),
      }));
      const { status, text } = await ada.call('POST', '/v1/api-keys/import', { keys });
      assert.equal(status, 200, text);
      assert.match(text, /"problems":\[\]/);
    },
    assertRejected: async (token: string, code: ErrorCode) => {
      const { message } = assertProblem(await send(token), code);
      assert.ok(!message.includes(token), message);
    },
  };
}

const unique = () => createHash('md5').update(generateKey()).digest('hex');

test('tokens with an imported prefix are accepted, up to 200 characters', async () => {
  const { importTokens, send } = await withPrefixes('acme_, pk-');
  const tokens = [
    `acme_${unique()}`,
    `pk-${unique()}.~+/-_`,
    `pk-${unique()}==`,
    `acme_${unique()}${'x'.repeat(200 - 37)}`,
    generateKey(),
  ];
  await importTokens(...tokens);
  for (const token of tokens) assert.equal((await send(token)).status, 200, token);
});

test('other tokens are rejected as before, even if they were imported', async () => {
  const { importTokens, assertRejected } = await withPrefixes('acme_, pk-');
  const others: [string, ErrorCode][] = [
    [`other_${unique()}`, 'malformed_key'],
    [`acme_${unique()}${'x'.repeat(201 - 37)}`, 'malformed_key'],
    [`acme_${unique()}!`, 'malformed_key'],
    [`acme_=${unique()}`, 'malformed_key'],
  ];
  await importTokens(...others.map(([token]) => token));
  for (const [token, code] of others) await assertRejected(token, code);
});

test('an unknown token with an imported prefix is unknown, and one like a Soku key is explained', async () => {
  for (const prefixes of ['acme_, sk_', '*']) {
    const { assertRejected } = await withPrefixes(prefixes);
    const own = generateKey();
    await assertRejected(`acme_${unique()}`, 'unknown_key');
    await assertRejected(own, 'unknown_key');
    await assertRejected(own.slice(0, -1), 'malformed_key');
    await assertRejected(`${own.slice(0, -1)}${own.endsWith('0') ? '1' : '0'}`, 'mistyped_key');
    await assertRejected(`${own.slice(0, 11)}...${own.slice(-3)}`, 'key_preview');
  }
});

test('with *, any token can be imported, also without a prefix', async () => {
  const { importTokens, send, contract, assertRejected } = await withPrefixes('*');
  const tokens = [unique(), '~', generateKey().slice(8)];
  for (const token of tokens) await assertRejected(token, 'unknown_key');
  await importTokens(...tokens);
  for (const token of tokens) assert.equal((await send(token)).status, 200, token);
  assertProblem(await contract.call('GET', '/v1/me', { fields: [['Authorization', 'a']] }), 'missing_bearer');
  assertProblem(await contract.call('GET', `/v1/me?api_key=${unique()}`), 'missing_authorization');
});

test('an imported token can do what its policy allows, and is revoked like any other key', async () => {
  const { ada, contract, importTokens, send } = await withPrefixes('*');
  const token = `old-${unique()}`;
  await importTokens(token);
  const hash = createHash('sha256').update(token).digest('hex');
  const { body } = await ada.call('GET', `/v1/api-keys?hash=${hash}`);
  const { id } = keyListSchema.parse(body).data[0] ?? assert.fail('not found');
  const manager = await ada.createKey({ name: 'verifier', scopes: ['keys:verify'] });
  const verified = await contract.call('POST', '/v1/verify', {
    key: manager.apiKey,
    body: { apiKey: token },
  });
  assert.match(verified.text, /"valid":true/);
  await ada.revoke(id);
  assertProblem(await send(token), 'revoked_key');
});

test('unknown tokens count against the address, and are read from the database once', async () => {
  const { send, server } = await withPrefixes('*', { SOKU_ADDRESS_RATE_LIMIT: '5' });
  const token = unique();
  const statuses: number[] = [];
  for (let i = 0; i < 6; i++) statuses.push((await send(token)).status);
  assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429]);
  const { text } = await call(`${server.url}/metrics`);
  assert.match(text, /^soku_cache_lookups_total\{found="database"\} 1$/m);
});
