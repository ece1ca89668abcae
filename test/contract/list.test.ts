/** GET /v1/api-keys: pages, search, statuses and counts. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type KeyList, keyListSchema } from '@soku/contract/keys';
import fc from 'fast-check';
import { assertProblem, Contract } from '../support/contract.ts';
import { addKeysNamed } from '../support/named-keys.ts';
import { runCount } from '../support/run-count.ts';
import { runSql } from '../support/run-sql.ts';
import { addAccount, openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const ada = await openSession(server, await addAccount(server));

async function list(query: Record<string, string> = {}): Promise<KeyList> {
  const path = `/v1/api-keys?${new URLSearchParams(query)}`;
  const response = await contract.call('GET', path, { as: ada });
  assert.equal(response.status, 200, response.text);
  return keyListSchema.strict().parse(response.body);
}

/** The names of the keys that a search for `q` finds. */
const search = async (q: string) => (await list({ q })).data.map((key) => key.name);

/** Creates keys one after the other, oldest first. */
async function createKeys(...names: string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const name of names) ids.push((await ada.createKey({ name })).key.id);
  return ids;
}

test('pages have no gaps and no duplicates while keys are added', async () => {
  const names = Array.from({ length: 25 }, (_, at) => `page-test ${at}`);
  const ids = new Set(await createKeys(...names));
  const seen: string[] = [];
  let cursor: string | null | undefined;
  let pages = 0;
  while (cursor !== null) {
    const page: KeyList = await list({ q: 'page-test', limit: '10', ...(cursor && { cursor }) });
    assert.ok(page.data.length <= 10);
    seen.push(...page.data.map((key) => key.id));
    cursor = page.nextCursor;
    pages += 1;
    await createKeys('page-test later');
  }
  assert.equal(pages, 3);
  assert.equal(seen.length, 25);
  assert.deepEqual(new Set(seen), ids);
  assert.deepEqual(seen, [...seen].sort().reverse(), 'newest first');
});

test('the last page has no cursor, even if it is full or empty', async () => {
  await createKeys('full 1', 'full 2');
  assert.equal((await list({ q: 'full', limit: '2' })).nextCursor, null);
  assert.notEqual((await list({ q: 'full', limit: '1' })).nextCursor, null);
  assert.deepEqual(await list({ q: 'no key has this name' }), { data: [], nextCursor: null });
});

test('a page has 50 keys by default, and at most 100', async () => {
  await addKeysNamed(
    ada,
    Array.from({ length: 101 }, () => 'many'),
  );
  assert.equal((await list()).data.length, 50);
  assert.equal((await list({ limit: '100' })).data.length, 100);
  assert.equal((await list({ limit: '1' })).data.length, 1);
});

test('an invalid parameter is rejected with its name', async () => {
  const invalid: [string, string][] = [
    ['limit', '0'],
    ['limit', '101'],
    ['limit', '-1'],
    ['limit', '1.5'],
    ['limit', 'ten'],
    ['limit', ''],
    ['status', 'gone'],
    ['status', ''],
    ['cursor', 'x'],
    ['cursor', ''],
    ['cursor', "key_' OR 1=1"],
    ['cursor', `key_${'0'.repeat(26)}`],
    ['sort', 'id'],
    ['sort', ''],
    ['order', 'up'],
    ['createdBy', ''],
    ['createdBy', 'two words'],
    ['scope', 'Keys'],
    ['scope', 'keys:*:x'],
    ['environment', 'prod'],
    ['externalId', ''],
    ['externalId', 'x'.repeat(256)],
    ['unusedDays', '0'],
    ['unusedDays', '3651'],
    ['expiresWithinDays', '1.5'],
    ['include', 'secrets'],
    ['include', 'counts,secrets'],
    ['q', 'x'.repeat(101)],
    ['hash', ''],
    ['hash', 'a'.repeat(63)],
    ['hash', 'g'.repeat(64)],
  ];
  for (const [name, value] of invalid) {
    const path = `/v1/api-keys?${new URLSearchParams({ [name]: value })}`;
    const error = assertProblem(await contract.call('GET', path, { as: ada }), 'invalid_request');
    assert.deepEqual(
      error.details?.map((detail) => detail.path),
      [name],
      `${name}=${value}`,
    );
  }
  for (const query of ['limit=1&limit=2', 'q=a&q=b', 'status=all&status=active', 'offset=5']) {
    assertProblem(await contract.call('GET', `/v1/api-keys?${query}`, { as: ada }), 'invalid_request');
  }
});

test('search finds a part of the name in any case and script, with or without accents', async () => {
  await createKeys('Grüße aus KÖLN', 'ПРИВЕТ', 'ΑΘΗΝΑΣ', 'ＦＵＬＬ width', 'e\u0301lue\u0301', 'İzmir');
  for (const q of ['GRÜSSE', 'grüße', 'GRÜ', 'grusse', 'koln']) {
    assert.deepEqual(await search(q), ['Grüße aus KÖLN'], q);
  }
  assert.deepEqual(await search('köln'), ['Grüße aus KÖLN']);
  assert.deepEqual(await search('привет'), ['ПРИВЕТ']);
  for (const q of ['θην', 'αθηνας', 'Αθήνας']) assert.deepEqual(await search(q), ['ΑΘΗΝΑΣ'], q);
  for (const q of ['izmir', 'IZMIR', 'İZMİR']) assert.deepEqual(await search(q), ['İzmir'], q);
  assert.deepEqual(await search('full width'), ['ＦＵＬＬ width']);
  // Three letters also match previews, and four also match ids, but ids contain no l and no u.
  for (const q of ['ÉLUÉ', 'elue']) assert.deepEqual(await search(q), ['e\u0301lue\u0301'], q);
  assert.deepEqual(await search('  köln '), ['Grüße aus KÖLN']);
});

test('search finds a key by its preview and its id', async () => {
  const { key } = await ada.createKey({ name: 'found by preview' });
  const [start = '', end = ''] = key.preview.slice('sk_live_'.length).split('...');
  const searches = [key.preview, `sk_live_${start}`, `...${end}`, start, end, key.id, key.id.slice(-10)];
  for (const q of [...searches, key.preview.toUpperCase(), ` ${key.preview.replace('...', '…')} `]) {
    const { data, counts } = await list({ q, include: 'counts' });
    assert.ok(
      data.some(({ id }) => id === key.id),
      q,
    );
    assert.equal(counts?.active, data.length);
  }
});

test('a key can be found by the SHA-256 of its secret, whatever its status', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'found by hash' });
  const hash = createHash('sha256').update(apiKey).digest('hex');
  const ids = async (query: Record<string, string>) => (await list(query)).data.map(({ id }) => id);
  assert.deepEqual(await ids({ hash }), [key.id]);
  assert.deepEqual(await ids({ hash: hash.toUpperCase() }), [key.id]);
  assert.deepEqual(await ids({ hash, q: 'found by' }), [key.id]);
  assert.deepEqual(await ids({ hash, q: 'something else' }), []);
  await ada.revoke(key.id);
  assert.deepEqual(await ids({ hash }), [key.id]);
  assert.deepEqual(await ids({ hash, status: 'active' }), []);
  const { counts } = await list({ hash, include: 'counts' });
  assert.deepEqual(counts, { active: 0, disabled: 0, revoked: 1, expired: 0, all: 1 });
  assert.deepEqual(await ids({ hash: 'a'.repeat(64) }), []);
  const reader = await ada.createKey({ name: 'reader', scopes: ['keys:read'] });
  const response = await contract.call('GET', `/v1/api-keys?hash=${hash}`, { key: reader.apiKey });
  assert.equal(keyListSchema.parse(response.body).data[0]?.id, key.id);
  assertProblem(
    await contract.call('GET', `/v1/api-keys?hash=${hash}`, {
      key: (await ada.createKey({ name: 'x' })).apiKey,
    }),
    'insufficient_scope',
  );
});

test('characters that are special in SQL are literal in a search', async () => {
  await createKeys('100% sure', '100 percent', 'snake_case', 'snakeXcase', 'back\\slash', "it's", '[a-z]*?');
  assert.deepEqual(await search('100%'), ['100% sure']);
  assert.deepEqual(await search('%'), ['100% sure']);
  assert.deepEqual(await search('snake_'), ['snake_case']);
  assert.deepEqual(await search('\\'), ['back\\slash']);
  assert.deepEqual(await search("'"), ["it's"]);
  assert.deepEqual(await search('[a-z]*?'), ['[a-z]*?']);
});

test('a search for a NUL character is rejected, because SQL would treat it as the end of the text', async () => {
  const response = await contract.call('GET', '/v1/api-keys?q=%00', { as: ada });
  assert.equal(response.status, 400);
});

test('an empty search finds all keys', async () => {
  const all = await list();
  assert.deepEqual(await list({ q: '' }), all);
  assert.deepEqual(await list({ q: '   ' }), all);
});

test('any search without control characters finds the key with exactly that name', async () => {
  const id = (await ada.createKey({ name: 'searched' })).key.id;
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 50 }), async (name) => {
      const renamed = await contract.call('PATCH', `/v1/api-keys/${id}`, { as: ada, body: { name } });
      if (/\p{Cc}/u.test(name)) return;
      const found = await list({ q: name });
      if (renamed.status === 200) assert.ok(found.data.some((key) => key.id === id));
    }),
    { numRuns: runCount(30, 1000) },
  );
});

test('each key is listed and counted under its status only, even with a search', async () => {
  const [active, revoked, expired, both] = ['active', 'revoked', 'expired', 'both'].map((s) => `status ${s}`);
  const disabled = await ada.createKey({ name: 'status disabled' });
  await contract.call('PATCH', `/v1/api-keys/${disabled.key.id}`, { as: ada, body: { disabled: true } });
  await ada.createKey({ name: active ?? '' });
  await ada.revoke((await ada.createKey({ name: revoked ?? '' })).key.id);
  await ada.createKey({ name: expired ?? '' });
  await ada.revoke((await ada.createKey({ name: both ?? '' })).key.id);
  for (const name of [expired, both])
    await runSql(server, 'UPDATE api_key SET expires_at = created_at + 1 WHERE name = ?', name ?? '');
  const namesWith = async (status: string) =>
    (await list({ q: 'status ', status })).data.map((key) => key.name).sort();
  assert.deepEqual(await namesWith('active'), [active, 'status disabled'], 'a disabled key is active, too');
  assert.deepEqual(await namesWith('disabled'), ['status disabled']);
  assert.deepEqual(await namesWith('expired'), [expired]);
  assert.deepEqual(await namesWith('revoked'), [both, revoked], 'revoked wins over expired');
  assert.deepEqual(await namesWith('all'), [active, both, 'status disabled', expired, revoked]);
  const { counts } = await list({ q: 'STATUS ', include: 'counts', limit: '1' });
  assert.deepEqual(counts, { active: 2, disabled: 1, revoked: 2, expired: 1, all: 5 });
});

test('each key shows the status under which it is listed', async () => {
  for (const status of ['active', 'disabled', 'revoked', 'expired']) {
    const { data } = await list({ status, limit: '100' });
    assert.ok(data.length > 0);
    for (const key of data) {
      assert.ok(key.status === status || (status === 'active' && key.status === 'disabled'), key.status);
    }
  }
});

test('filters by scope, environment and external ID find exact values, and can be combined', async () => {
  const scopes = [['files:read'], ['files:*', 'logs'], ['*'], ['xfiles:read']];
  await ada.setScopes(['files:read', 'logs', 'xfiles:read']);
  for (const [i, own] of scopes.entries()) {
    await ada.createKey({ name: `filter ${i}`, scopes: own, externalId: i < 2 ? '100%_a' : '100%_A' });
  }
  const { key } = await ada.createKey({ name: 'filter test', scopes: ['files:read'], externalId: '100%_a' });
  await runSql(server, "UPDATE api_key SET environment = 'test' WHERE id = ?", key.id);
  const names = async (query: Record<string, string>) =>
    (await list({ q: 'filter', ...query })).data.map(({ name }) => name).sort();
  assert.deepEqual(await names({ scope: 'files:read' }), ['filter 0', 'filter test']);
  assert.deepEqual(await names({ scope: 'files:*' }), ['filter 1'], 'the wildcard itself');
  assert.deepEqual(await names({ scope: '*' }), ['filter 2']);
  assert.deepEqual(await names({ scope: 'log' }), []);
  assert.deepEqual(await names({ environment: 'test' }), ['filter test']);
  assert.deepEqual(await names({ externalId: '100%_a' }), ['filter 0', 'filter 1', 'filter test']);
  assert.deepEqual(await names({ externalId: '100%_A' }), ['filter 2', 'filter 3']);
  assert.deepEqual(await names({ externalId: '100' }), []);
  const combined = { scope: 'files:read', environment: 'live', externalId: '100%_a' };
  assert.deepEqual(await names(combined), ['filter 0']);
  const { counts } = await list({ ...combined, include: 'counts' });
  assert.deepEqual(counts, { active: 1, disabled: 0, revoked: 0, expired: 0, all: 1 });
});
