/** GET /v1/api-keys: sorting, its cursors, filters by use, expiry, creator and scope, and the usage of each key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msPerDay } from '@soku/contract/instant';
import { type KeyList, keyListSchema, keySortSchema, statusFilterSchema } from '@soku/contract/keys';
import { meSchema } from '@soku/contract/verification';
import { assertProblem, Contract } from '../support/contract.ts';
import { runSqlOn } from '../support/run-sql.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';
import { bob as bobsAccount } from '../support/two-accounts.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const [ada, bob] = [await openSession(server), await openSession(server, bobsAccount)];

const path = (query: Record<string, string>) => `/v1/api-keys?${new URLSearchParams(query)}`;

async function list(query: Record<string, string>): Promise<KeyList> {
  const response = await contract.call('GET', path(query), { as: ada });
  assert.equal(response.status, 200, response.text);
  return keyListSchema.strict().parse(response.body);
}

const names = ({ data }: KeyList) => data.map(({ name }) => name);

/** The names of all pages. @param between called before each page except the first */
async function readPages(query: Record<string, string>, between = async () => {}): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: KeyList = await list({ ...query, ...(cursor && { cursor }) });
    found.push(...names(page));
    cursor = page.nextCursor;
    if (cursor !== null) await between();
  }
  return found;
}

const use = (key: string) => contract.call('GET', '/v1/verify', { key });
const inDays = (days: number) => new Date(Date.now() + days * msPerDay).toISOString();

/** Sets the creation and the last use of a key back by a number of days. */
async function age(id: string, { created, used }: { created: number; used?: number }): Promise<void> {
  const ago = (days: number) => String(Date.now() - days * msPerDay);
  await runSqlOn(
    server,
    'UPDATE api_key SET created_at = CAST(? AS BIGINT) WHERE id = ? RETURNING id',
    ago(created),
    id,
  );
  if (used === undefined) return;
  await runSqlOn(
    server,
    `INSERT INTO last_use (key_id, hash, at, address, agent)
     SELECT key_id, hash, CAST(? AS BIGINT), '', '' FROM api_key_secret WHERE key_id = ? RETURNING key_id`,
    ago(used),
    id,
  );
}

test('each sort has an order, and keys without a value are last in both orders', async () => {
  const first = await ada.createKey({ name: 'sorted b' });
  await ada.createKey({ name: 'sorted Ä', expiresAt: inDays(9) });
  const third = await ada.createKey({ name: 'sorted C', expiresAt: inDays(3) });
  await age(first.key.id, { created: 0, used: 2 });
  await use(third.apiKey);
  const previews = new Map((await list({ q: 'sorted' })).data.map(({ name, preview }) => [name, preview]));
  const sorted = async (sort: string, order?: string) => {
    const query = { q: 'sorted', sort, ...(order && { order }) };
    const inOnePage = names(await list(query));
    assert.deepEqual(await readPages({ ...query, limit: '1' }), inOnePage, `${sort} ${order}`);
    return inOnePage.map((name) => name.slice('sorted '.length)).join(' ');
  };
  assert.deepEqual([await sorted('created'), await sorted('created', 'asc')], ['C Ä b', 'b Ä C']);
  assert.deepEqual([await sorted('name'), await sorted('name', 'desc')], ['Ä b C', 'C b Ä']);
  assert.deepEqual([await sorted('lastUsed'), await sorted('lastUsed', 'asc')], ['C b Ä', 'b C Ä']);
  assert.deepEqual([await sorted('expires'), await sorted('expires', 'desc')], ['C Ä b', 'Ä C b']);
  assert.deepEqual([await sorted('usage'), await sorted('usage', 'asc')], ['C b Ä', 'C b Ä']);
  const byPreview = ['b', 'Ä', 'C'].sort((a, b) =>
    (previews.get(`sorted ${a}`) ?? '') < (previews.get(`sorted ${b}`) ?? '') ? -1 : 1,
  );
  assert.deepEqual(
    [await sorted('preview'), await sorted('preview', 'desc')],
    [byPreview.join(' '), byPreview.toReversed().join(' ')],
  );
});

test('the sort by status is active, expired, revoked, and keeps the status of the first page', async () => {
  const made = await Promise.all(
    ['1', '2', '3', '4'].map((name) => ada.createKey({ name: `status ${name}` })),
  );
  const [first, second, third] = made.map(({ key }) => key.id);
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  await ada.revoke(first);
  await runSqlOn(server, 'UPDATE api_key SET expires_at = 1 WHERE id = ? RETURNING id', second);
  const query = { q: 'status', sort: 'status', status: 'all' };
  const { data } = await list(query);
  const rank = ['active', 'expired', 'revoked'];
  const plain = data.toSorted(
    (a, b) => rank.indexOf(a.status) - rank.indexOf(b.status) || (a.id < b.id ? -1 : 1),
  );
  assert.deepEqual(
    data.map(({ id }) => id),
    plain.map(({ id }) => id),
  );
  assert.deepEqual(
    data.slice(-2).map(({ id }) => id),
    [second, first],
  );
  assert.deepEqual(
    names(await list({ ...query, order: 'desc' })),
    names({ data: plain.toReversed(), nextCursor: null }),
  );
  const expected = names({ data, nextCursor: null });
  const found = await readPages({ ...query, limit: '1' }, async () => {
    await ada.revoke(third);
  });
  assert.deepEqual(found, expected);
});

test('the sort by usage compares the requests that the list shows, and keeps them while pages are read', async () => {
  const made: { apiKey: string }[] = [];
  for (const times of [2, 0, 5, 1, 0]) {
    const created = await ada.createKey({ name: `order of uses ${made.length}` });
    for (let i = 0; i < times; i++) await use(created.apiKey);
    made.push(created);
  }
  const query = { q: 'order of uses', sort: 'usage', include: 'usage' };
  const counts = ({ data }: KeyList) => data.map(({ usage }) => usage?.accepted);
  assert.deepEqual(counts(await list(query)), [5, 2, 1, 0, 0]);
  assert.deepEqual(counts(await list({ ...query, order: 'asc' })), [1, 2, 5, 0, 0]);
  for (const order of ['asc', 'desc']) {
    const inOnePage = names(await list({ ...query, order }));
    let last = made.length;
    const found = await readPages({ ...query, order, limit: '1' }, async () => {
      last -= 1;
      // Without the ranking of the first page, these requests would change its place.
      if (last === 3) for (let i = 0; i < 9; i++) await use(made[last]?.apiKey ?? '');
    });
    assert.deepEqual(found, inOnePage, order);
  }
});

test('a page of the keys that were last used is sorted by their exact times', async () => {
  const made = await Promise.all(['1', '2', '3'].map((name) => ada.createKey({ name: `exact ${name}` })));
  for (const at of [1, 0, 2]) await use(made[at]?.apiKey ?? '');
  const { data } = await list({ q: 'exact', sort: 'lastUsed' });
  const times = data.map(({ lastUsedAt }) => Date.parse(lastUsedAt ?? ''));
  assert.deepEqual(
    times,
    times.toSorted((a, b) => b - a),
  );
  // Two uses may be in the same millisecond.
  assert.equal(data[0]?.lastUsedAt, data.find(({ name }) => name === 'exact 3')?.lastUsedAt);
});

test('pages have no gaps and no duplicates while keys are added and used', async () => {
  const made: { name: string; apiKey: string }[] = [];
  for (let i = 0; i < 9; i++) {
    const name = `steady ${i}`;
    made.push({ name, apiKey: (await ada.createKey({ name, expiresAt: inDays(i + 1) })).apiKey });
  }
  for (const { apiKey } of made) await use(apiKey);
  const expected = made.map(({ name }) => name).sort();
  for (const sort of keySortSchema.options) {
    let step = 0;
    const between = async () => {
      step += 1;
      await ada.createKey({ name: 'steady later' });
      for (const { apiKey } of made.filter((_, i) => i % 3 === step % 3)) await use(apiKey);
    };
    const found = await readPages({ q: 'steady', sort, limit: '4' }, between);
    assert.deepEqual(found.filter((name) => name !== 'steady later').sort(), expected, sort);
  }
});

test('a cursor that belongs to another list, was edited or was invented is rejected, with its field', async () => {
  await Promise.all(['1', '2'].map((name) => ada.createKey({ name: `cursor ${name}` })));
  const query = { q: 'cursor', limit: '1' };
  const { nextCursor } = await list({ ...query, sort: 'name' });
  assert.ok(nextCursor !== null);
  assert.deepEqual(names(await list({ ...query, sort: 'name', cursor: nextCursor })), ['cursor 2']);
  const [start, end] = [nextCursor.slice(0, -1), nextCursor.slice(-1)];
  const others = [
    { cursor: nextCursor },
    { sort: 'name', order: 'desc', cursor: nextCursor },
    { sort: 'lastUsed', cursor: nextCursor },
    { sort: 'name', cursor: start },
    { sort: 'name', cursor: `${nextCursor}A` },
    { sort: 'name', cursor: `${start}${end === 'A' ? 'B' : 'A'}` },
    { sort: 'name', cursor: `${nextCursor.startsWith('A') ? 'B' : 'A'}${nextCursor.slice(1)}` },
    { sort: 'name', cursor: Buffer.from('[0,"cursor 1","key_",0]').toString('base64url') },
    { sort: 'name', cursor: 'A' },
  ];
  for (const other of others) {
    const error = assertProblem(
      await contract.call('GET', path({ ...query, ...other }), { as: ada }),
      'invalid_request',
    );
    assert.deepEqual(
      error.details?.map((detail) => detail.path),
      ['cursor'],
    );
  }
  const elsewhere = path({ ...query, sort: 'name', cursor: nextCursor });
  assertProblem(await contract.call('GET', elsewhere, { as: bob }), 'invalid_request');
});

test('keys are found by use, expiry, creator and scope, in any status', async () => {
  const creator = await ada.createKey({ name: 'filtered creator', scopes: ['keys:read', 'keys:write'] });
  const body = { name: 'filtered child', scopes: ['keys:read'], expiresAt: inDays(2) };
  await contract.call('POST', '/v1/api-keys', { key: creator.apiKey, body });
  const [idle, unused, used] = [
    await ada.createKey({ name: 'filtered idle' }),
    await ada.createKey({ name: 'filtered unused' }),
    await ada.createKey({ name: 'filtered used', expiresAt: inDays(20) }),
  ];
  await age(idle.key.id, { created: 50, used: 40 });
  await age(unused.key.id, { created: 35 });
  await age(used.key.id, { created: 50, used: 45 });
  await use(used.apiKey);
  const found = async (query: Record<string, string>) => {
    const { data, counts } = await list({ q: 'filtered', sort: 'name', include: 'counts', ...query });
    assert.equal(counts?.[statusFilterSchema.parse(query.status ?? 'active')], data.length);
    return data.map(({ name }) => name.slice('filtered '.length));
  };
  assert.deepEqual(await found({ createdBy: creator.key.id }), ['child']);
  assert.deepEqual(await found({ createdBy: `key_${'0'.repeat(26)}` }), []);
  assert.deepEqual(await found({ scope: 'keys:read' }), ['child', 'creator']);
  assert.deepEqual(await found({ scope: 'keys:write' }), ['creator']);
  assert.deepEqual(await found({ scope: 'keys:verify' }), []);
  assert.deepEqual(await found({ unusedDays: '30' }), ['idle', 'unused']);
  assert.deepEqual(await found({ unusedDays: '38' }), ['idle']);
  assert.deepEqual(await found({ unusedDays: '41' }), []);
  assert.deepEqual(await found({ expiresWithinDays: '3' }), ['child']);
  assert.deepEqual(await found({ expiresWithinDays: '30' }), ['child', 'used']);
  assert.deepEqual(await found({ expiresWithinDays: '30', scope: 'keys:read' }), ['child']);
  await ada.revoke(idle.key.id);
  assert.deepEqual(await found({ unusedDays: '30' }), ['unused']);
  assert.deepEqual(await found({ unusedDays: '30', status: 'revoked' }), ['idle']);
  assert.deepEqual(await found({ unusedDays: '30', status: 'all' }), ['idle', 'unused']);
});

test('include=usage adds the requests of the last 24 hours to each key', async () => {
  const [used, rejected] = [
    await ada.createKey({ name: 'usage 1' }),
    await ada.createKey({ name: 'usage 2' }),
  ];
  await use(used.apiKey);
  await use(used.apiKey);
  assertProblem(await contract.call('GET', '/v1/api-keys', { key: rejected.apiKey }), 'insufficient_scope');
  for (const include of ['usage', 'counts,usage', 'usage,counts']) {
    const { data, counts } = await list({ q: 'usage', sort: 'name', include });
    assert.deepEqual(
      data.map(({ usage }) => usage),
      [
        { accepted: 2, refused: 0 },
        { accepted: 0, refused: 1 },
      ],
    );
    assert.equal(counts?.active, include === 'usage' ? undefined : 2);
  }
  const { data } = await list({ q: 'usage', include: 'counts' });
  assert.ok(data.every((key) => key.usage === undefined));
});

test('no filter finds keys of another workspace', async () => {
  const mine = await ada.createKey({ name: 'not shared', scopes: ['keys:read'], expiresAt: inDays(1) });
  await age(mine.key.id, { created: 400, used: 399 });
  const me = meSchema.parse((await contract.call('GET', '/v1/me', { key: mine.apiKey })).body);
  for (const query of [
    { createdBy: mine.key.createdBy },
    { unusedDays: '1' },
    { expiresWithinDays: '2' },
    { scope: 'keys:read', q: 'not shared' },
    { q: mine.key.id },
  ]) {
    for (const sort of keySortSchema.options) {
      const response = await contract.call('GET', path({ ...query, sort, status: 'all' }), { as: bob });
      const { data } = keyListSchema.parse(response.body);
      assert.ok(data.every(({ id }) => id !== me.key.id));
    }
  }
});
