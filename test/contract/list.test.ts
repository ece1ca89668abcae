/** GET /v1/api-keys: pages, search, statuses and counts. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { type KeyList, keyListSchema } from '@soku/contract/keys';
import fc from 'fast-check';
import { assertProblem, Contract, eventually } from '../support/contract.ts';
import { times } from '../support/long.ts';
import { startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

const server = await startServer();
after(() => server.stop());
const contract = await Contract.of(server);
const ada = await openSession(server);

async function list(query: Record<string, string> = {}): Promise<KeyList> {
  const path = `/v1/api-keys?${new URLSearchParams(query)}`;
  const answer = await contract.call('GET', path, { as: ada });
  assert.equal(answer.status, 200, answer.text);
  return keyListSchema.strict().parse(answer.body);
}

/** The names of the keys whose name has `q` in it. */
const search = async (q: string) => (await list({ q })).data.map((key) => key.name);

/** Makes keys one after the other, oldest first. */
async function makeKeys(...names: string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const name of names) ids.push((await ada.makeKey({ name })).key.id);
  return ids;
}

test('pages follow each other without gap or repetition while keys are added', async () => {
  const names = Array.from({ length: 25 }, (_, at) => `page-test ${at}`);
  const ids = new Set(await makeKeys(...names));
  const seen: string[] = [];
  let cursor: string | null | undefined;
  let pages = 0;
  while (cursor !== null) {
    const page: KeyList = await list({ q: 'page-test', limit: '10', ...(cursor && { cursor }) });
    assert.ok(page.data.length <= 10);
    seen.push(...page.data.map((key) => key.id));
    cursor = page.nextCursor;
    pages += 1;
    await makeKeys('page-test later');
  }
  assert.equal(pages, 3);
  assert.equal(seen.length, 25);
  assert.deepEqual(new Set(seen), ids);
  assert.deepEqual(seen, [...seen].sort().reverse(), 'newest first');
});

test('the last page says so, also when it is exactly full or there is nothing', async () => {
  await makeKeys('full 1', 'full 2');
  assert.equal((await list({ q: 'full', limit: '2' })).nextCursor, null);
  assert.notEqual((await list({ q: 'full', limit: '1' })).nextCursor, null);
  assert.deepEqual(await list({ q: 'no key has this name' }), { data: [], nextCursor: null });
});

test('a page holds 50 keys when nothing is said, and at most 100', async () => {
  const { apiKey } = await ada.makeKey({ name: 'maker', scopes: ['keys:write'] });
  const make = () => contract.call('POST', '/v1/api-keys', { key: apiKey, body: { name: 'many' } });
  await Promise.all(Array.from({ length: 101 }, make));
  assert.equal((await list()).data.length, 50);
  assert.equal((await list({ limit: '100' })).data.length, 100);
  assert.equal((await list({ limit: '1' })).data.length, 1);
});

test('a wrong parameter is refused by its name', async () => {
  const wrong: [string, string][] = [
    ['limit', '0'],
    ['limit', '101'],
    ['limit', '-1'],
    ['limit', '1.5'],
    ['limit', 'ten'],
    ['limit', ''],
    ['status', 'dead'],
    ['status', ''],
    ['cursor', 'x'],
    ['cursor', ''],
    ['cursor', "key_' OR 1=1"],
    ['include', 'secrets'],
    ['q', 'x'.repeat(101)],
    ['hash', ''],
    ['hash', 'a'.repeat(63)],
    ['hash', 'g'.repeat(64)],
  ];
  for (const [name, value] of wrong) {
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

test('a cursor that is no key of the workspace still has a place in the order', async () => {
  assert.deepEqual(await list({ cursor: `key_${'0'.repeat(26)}` }), { data: [], nextCursor: null });
  assert.ok((await list({ cursor: `key_${'z'.repeat(26)}` })).data.length > 0);
});

test('search finds a part of the name in any case and script, with accents or without', async () => {
  await makeKeys('Grüße aus KÖLN', 'ПРИВЕТ', 'ΑΘΗΝΑΣ', 'ＦＵＬＬ width', 'e\u0301lue\u0301', 'İzmir');
  for (const q of ['GRÜSSE', 'grüße', 'GRÜ', 'grusse', 'koln']) {
    assert.deepEqual(await search(q), ['Grüße aus KÖLN'], q);
  }
  assert.deepEqual(await search('köln'), ['Grüße aus KÖLN']);
  assert.deepEqual(await search('привет'), ['ПРИВЕТ']);
  for (const q of ['θην', 'αθηνας', 'Αθήνας']) assert.deepEqual(await search(q), ['ΑΘΗΝΑΣ'], q);
  for (const q of ['izmir', 'IZMIR', 'İZMİR']) assert.deepEqual(await search(q), ['İzmir'], q);
  assert.deepEqual(await search('full width'), ['ＦＵＬＬ width']);
  // Three letters are also looked for in previews, and four in ids, which have no l and no u.
  for (const q of ['ÉLUÉ', 'elue']) assert.deepEqual(await search(q), ['e\u0301lue\u0301'], q);
  assert.deepEqual(await search('  köln '), ['Grüße aus KÖLN']);
});

test('a key is found by its preview and by its id', async () => {
  const { key } = await ada.makeKey({ name: 'found by preview' });
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

test('a key is found by the SHA-256 of the whole key, whatever its status', async () => {
  const { apiKey, key } = await ada.makeKey({ name: 'found by hash' });
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
  assert.deepEqual(counts, { active: 0, revoked: 1, expired: 0, all: 1 });
  assert.deepEqual(await ids({ hash: 'a'.repeat(64) }), []);
  const reader = await ada.makeKey({ name: 'reader', scopes: ['keys:read'] });
  const answer = await contract.call('GET', `/v1/api-keys?hash=${hash}`, { key: reader.apiKey });
  assert.equal(keyListSchema.parse(answer.body).data[0]?.id, key.id);
  assertProblem(
    await contract.call('GET', `/v1/api-keys?hash=${hash}`, {
      key: (await ada.makeKey({ name: 'x' })).apiKey,
    }),
    'insufficient_scope',
  );
});

test('characters that mean something to SQL mean themselves in a search', async () => {
  await makeKeys('100% sure', '100 percent', 'snake_case', 'snakeXcase', 'back\\slash', "it's", '[a-z]*?');
  assert.deepEqual(await search('100%'), ['100% sure']);
  assert.deepEqual(await search('%'), ['100% sure']);
  assert.deepEqual(await search('snake_'), ['snake_case']);
  assert.deepEqual(await search('\\'), ['back\\slash']);
  assert.deepEqual(await search("'"), ["it's"]);
  assert.deepEqual(await search('[a-z]*?'), ['[a-z]*?']);
});

test('a search for control characters is refused, where SQL would take a NUL for the end of the text', async () => {
  const answer = await contract.call('GET', '/v1/api-keys?q=%00', { as: ada });
  assert.equal(answer.status, 400);
});

test('an empty search finds everything', async () => {
  const all = await list();
  assert.deepEqual(await list({ q: '' }), all);
  assert.deepEqual(await list({ q: '   ' }), all);
});

test('any search without control characters is answered, and finds the key that has just that name', async () => {
  const id = (await ada.makeKey({ name: 'searched' })).key.id;
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 50 }), async (name) => {
      const renamed = await contract.call('PATCH', `/v1/api-keys/${id}`, { as: ada, body: { name } });
      if (/\p{Cc}/u.test(name)) return;
      const found = await list({ q: name });
      if (renamed.status === 200) assert.ok(found.data.some((key) => key.id === id));
    }),
    { numRuns: times(30, 1000) },
  );
});

test('a key stands under the status that it has, and counts there, with the same search', async () => {
  const [active, revoked, expired, both] = ['active', 'revoked', 'expired', 'both'].map((s) => `status ${s}`);
  const soon = () => new Date(Date.now() + 400).toISOString();
  await ada.makeKey({ name: active ?? '' });
  await ada.revoke((await ada.makeKey({ name: revoked ?? '' })).key.id);
  await ada.makeKey({ name: expired ?? '', expiresAt: soon() });
  await ada.revoke((await ada.makeKey({ name: both ?? '', expiresAt: soon() })).key.id);
  await eventually(
    () => list({ q: 'status ', status: 'expired' }),
    (page) => page.data.length > 0,
  );
  const under = async (status: string) =>
    (await list({ q: 'status ', status })).data.map((key) => key.name).sort();
  assert.deepEqual(await under('active'), [active]);
  assert.deepEqual(await under('expired'), [expired]);
  assert.deepEqual(await under('revoked'), [both, revoked], 'revoked wins over expired');
  assert.deepEqual(await under('all'), [active, both, expired, revoked]);
  const { counts } = await list({ q: 'STATUS ', include: 'counts', limit: '1' });
  assert.deepEqual(counts, { active: 1, revoked: 2, expired: 1, all: 4 });
});

test('each key shows the status that it is listed under', async () => {
  for (const status of ['active', 'revoked', 'expired']) {
    for (const key of (await list({ status, limit: '100' })).data) assert.equal(key.status, status);
  }
});
