/** The report of keys that need attention. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type HygieneKind, hygieneActions, hygieneKindSchema, hygieneSchema } from '@soku/contract/hygiene';
import { msPerDay } from '@soku/contract/instant';
import type { CreateKey } from '@soku/contract/key-requests';
import { assertProblem, Contract } from '../support/contract.ts';
import { assertField, inDays } from '../support/key-calls.ts';
import { runSql } from '../support/run-sql.ts';
import { addAccount, openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);

/** A person with an empty workspace. */
async function newPerson() {
  return openSession(server, await addAccount(server));
}
type Person = Awaited<ReturnType<typeof newPerson>>;

async function report(person: Person, query = '') {
  const response = await contract.call('GET', `/v1/hygiene?${query}`, { as: person });
  assert.equal(response.status, 200, response.text);
  return hygieneSchema.strict().parse(response.body);
}

const setWorkspace = (person: Person, body: object) =>
  contract.call('PATCH', '/v1/workspace', { as: person, body });

/** The names of the keys of each kind that has any. */
async function namesByKind(person: Person): Promise<Partial<Record<HygieneKind, string[]>>> {
  const { data, counts } = await report(person, 'include=counts');
  const found = Object.groupBy(data, ({ kind }) => kind);
  for (const kind of hygieneKindSchema.options) assert.equal(counts?.[kind], found[kind]?.length ?? 0, kind);
  for (const { kind, action } of data) assert.equal(action, hygieneActions[kind]);
  return Object.fromEntries(Object.entries(found).map(([kind, of]) => [kind, of.map(({ key }) => key.name)]));
}

const restricted: Partial<CreateKey> = {
  allowedAddresses: ['127.0.0.1', '::1'],
  expiresAt: inDays(1000),
};

/** Creates a key with a use and a creation so many days ago. By default, it is no finding. */
async function createOld(
  person: Person,
  name: string,
  { created, used = null, ...input }: { created: number; used?: number | null } & Partial<CreateKey>,
) {
  const result = await person.createKey({ name, ...restricted, ...input });
  const { id } = result.key;
  const at = (days: number) => Date.now() - days * msPerDay;
  await runSql(server, 'UPDATE api_key SET created_at = ? WHERE id = ?', at(created), id);
  if (used !== null) await runSql(server, 'UPDATE key_use SET used_at = ? WHERE key_id = ?', at(used), id);
  return result;
}

/** Sets since when usage is complete, while `work` runs. The shared server has one such time for all workspaces. */
async function withUsageSince(days: number, work: () => Promise<void>): Promise<void> {
  const [row] = await runSql(server, 'SELECT complete_since FROM usage_history');
  const set = (at: number) => runSql(server, 'UPDATE usage_history SET complete_since = ?', at);
  await set(Date.now() - days * msPerDay);
  try {
    await work();
  } finally {
    await set(Number(row?.complete_since));
  }
}

test('a key without uses is idle for 30 or 90 days, or was never used', async () => {
  const person = await newPerson();
  await withUsageSince(365, async () => {
    await createOld(person, 'used lately', { created: 200, used: 29 });
    await createOld(person, 'idle 31', { created: 200, used: 31 });
    await createOld(person, 'idle 89', { created: 200, used: 89 });
    await createOld(person, 'idle 91', { created: 200, used: 91 });
    await createOld(person, 'new', { created: 6 });
    await createOld(person, 'never', { created: 8 });
    await createOld(person, 'never at all', { created: 300 });
    assert.deepEqual(await namesByKind(person), {
      idle_90_days: ['idle 91'],
      idle_30_days: ['idle 89', 'idle 31'],
      never_used: ['never at all', 'never'],
    });
    const { data } = await report(person, 'kind=idle_90_days');
    const since = Date.parse(data[0]?.since ?? '');
    assert.ok(Math.abs(since - (Date.now() - 91 * msPerDay)) < 60_000);
  });
});

test('time for which usage is unknown does not count', async () => {
  const person = await newPerson();
  await createOld(person, 'used before', { created: 300, used: 200 });
  await createOld(person, 'unknown', { created: 300 });
  const known = async (days: number) => {
    let names: Awaited<ReturnType<typeof namesByKind>> = {};
    await withUsageSince(days, async () => {
      names = await namesByKind(person);
    });
    return names;
  };
  assert.deepEqual(await known(29), {});
  assert.deepEqual(await known(31), { idle_30_days: ['used before', 'unknown'].sort(byCreation) });
  assert.deepEqual(await known(91), { idle_90_days: ['used before', 'unknown'].sort(byCreation) });
  assert.deepEqual(await known(250), { idle_90_days: ['unknown', 'used before'] });
  assert.deepEqual(await known(301), { idle_90_days: ['used before'], never_used: ['unknown'] });
});

/** Findings of the same time are in the order of the ids, which is that of creation. */
const byCreation = (a: string, b: string) => (a === b ? 0 : a === 'used before' ? -1 : 1);

test('the uses of an imported key are unknown before its import, whatever its age', async () => {
  const person = await newPerson();
  const imported = [{ createdAt: '2020-01-01T00:00:00Z' }, {}].map((key, i) => ({
    name: `from elsewhere ${i}`,
    hash: randomBytes(32).toString('hex'),
    ...restricted,
    ...key,
  }));
  assert.equal((await person.call('POST', '/v1/api-keys/import', { keys: imported })).status, 200);
  const ids = await runSql(server, "SELECT id, name FROM api_key WHERE name LIKE 'from elsewhere _'");
  assert.equal(ids.length, 2);
  /** As if the import was so many days ago. The second key has no other date of creation. */
  const importedAgo = async (days: number) => {
    const at = Date.now() - days * msPerDay;
    for (const { id, name } of ids) {
      await runSql(server, 'UPDATE api_key SET imported_at = ? WHERE id = ?', at, String(id));
      if (name === 'from elsewhere 1')
        await runSql(server, 'UPDATE api_key SET created_at = ? WHERE id = ?', at, String(id));
    }
  };
  await withUsageSince(365, async () => {
    assert.deepEqual(await namesByKind(person), {});
    await importedAgo(29);
    assert.deepEqual(await namesByKind(person), {});
    await importedAgo(31);
    const { idle_30_days: idle = [], ...others } = await namesByKind(person);
    assert.deepEqual([idle.toSorted(), others], [['from elsewhere 0', 'from elsewhere 1'], {}]);
    await importedAgo(91);
    assert.deepEqual(Object.keys(await namesByKind(person)), ['idle_90_days']);
    assert.equal((await setWorkspace(person, { maxSecretAgeDays: 365 })).status, 200);
    const { older_than_policy: old } = await namesByKind(person);
    assert.deepEqual(old, ['from elsewhere 0'], 'the age is that since its creation');
  });
});

test('a used key is no longer idle', async () => {
  const person = await newPerson();
  await withUsageSince(365, async () => {
    const { apiKey } = await createOld(person, 'revived', { created: 200, used: 100 });
    assert.deepEqual(await namesByKind(person), { idle_90_days: ['revived'] });
    assert.equal((await contract.call('GET', '/v1/me', { key: apiKey })).status, 200);
    assert.deepEqual(await namesByKind(person), {});
  });
});

test('keys without an end, and without addresses and scopes, are listed', async () => {
  const person = await newPerson();
  await person.setScopes(['files:read']);
  await person.createKey({ name: 'open' });
  await person.createKey({ name: 'all scopes', scopes: ['*', 'keys:read'] });
  await person.createKey({ name: 'one scope', scopes: ['files:read'] });
  await person.createKey({ name: 'below', scopes: ['files:*'] });
  await person.createKey({ name: 'addresses', allowedAddresses: ['127.0.0.1'] });
  const ended = await person.createKey({ name: 'revoked' });
  await person.revoke(ended.key.id);
  const disabled = await person.createKey({ name: 'disabled' });
  await person.call('PATCH', `/v1/api-keys/${disabled.key.id}`, { disabled: true });
  const expired = await person.createKey({ name: 'expired' });
  await runSql(server, 'UPDATE api_key SET expires_at = 1 WHERE id = ?', expired.key.id);
  assert.deepEqual(await namesByKind(person), {
    unrestricted: ['open', 'all scopes'],
    never_expires: ['open', 'all scopes', 'one scope', 'below', 'addresses'],
  });
});

test('a rotation is unfinished after an hour without a use of the new secret', async () => {
  const person = await newPerson();
  const rotated = async (name: string, graceSeconds: number) => {
    const { key } = await person.createKey({ name, ...restricted });
    const startGrace = graceSeconds > 7200 ? 'firstUse' : 'now';
    const response = await person.call('POST', `/v1/api-keys/${key.id}/rotate`, { graceSeconds, startGrace });
    assert.equal(response.status, 201);
    return key.id;
  };
  const ids = [await rotated('by time', 3600), await rotated('by use', 7201), await rotated('at once', 0)];
  await withUsageSince(1, async () => {
    assert.deepEqual(await namesByKind(person), {});
    for (const id of ids)
      await runSql(
        server,
        'UPDATE api_key_secret SET created_at = created_at - 3600001 WHERE key_id = ?',
        id,
      );
    assert.deepEqual(await namesByKind(person), { rotation_unfinished: ['by time', 'by use'] });
  });
  // The new secrets may have been used before usage is known.
  await withUsageSince(0, async () => assert.deepEqual(await namesByKind(person), {}));
});

test('secrets older than the maximum of the workspace are listed until they are rotated', async () => {
  const person = await newPerson();
  const { key } = await person.createKey({ name: 'old', ...restricted });
  await person.createKey({ name: 'young', ...restricted });
  await runSql(
    server,
    'UPDATE api_key_secret SET created_at = ? WHERE key_id = ?',
    Date.now() - 31 * msPerDay,
    key.id,
  );
  assert.deepEqual(await namesByKind(person), {});
  const set = (maxSecretAgeDays: unknown) => setWorkspace(person, { maxSecretAgeDays });
  assert.equal((await set(30)).status, 200);
  assert.deepEqual(await namesByKind(person), { older_than_policy: ['old'] });
  const [finding] = (await report(person)).data;
  assert.ok(Math.abs(Date.parse(finding?.since ?? '') - (Date.now() - msPerDay)) < 60_000);
  await person.call('POST', `/v1/api-keys/${key.id}/rotate`, { graceSeconds: 0 });
  assert.deepEqual(await namesByKind(person), {});
  for (const wrong of [0, 3651, '30']) assertField(await set(wrong), 'maxSecretAgeDays', /days/);
});

test('a key that was enabled or revived is idle since then', async () => {
  const person = await newPerson();
  await withUsageSince(365, async () => {
    const change = async (id: string, body: object) =>
      assert.equal((await person.call('PATCH', `/v1/api-keys/${id}`, body)).status, 200);
    const { key: disabled } = await createOld(person, 'disabled', { created: 200, used: 100 });
    await change(disabled.id, { disabled: true });
    const { key: expired } = await createOld(person, 'expired', { created: 200, used: 100 });
    await runSql(server, 'UPDATE api_key SET expires_at = 1 WHERE id = ?', expired.id);
    assert.deepEqual(await namesByKind(person), {});
    await change(disabled.id, { disabled: false });
    await change(expired.id, { expiresAt: restricted.expiresAt });
    await change(expired.id, { name: 'renamed' });
    assert.deepEqual(await namesByKind(person), {});
    await runSql(server, 'UPDATE api_key SET resumed_at = resumed_at - 2678400000 WHERE resumed_at > 0');
    assert.deepEqual(await namesByKind(person), { idle_30_days: ['disabled', 'renamed'] });
  });
});

test('a finding names the setting of the workspace that the key violates', async () => {
  const person = await newPerson();
  const policies = async (body: object) => {
    assert.equal((await setWorkspace(person, body)).status, 200);
    return (await report(person)).data.map(({ kind, policy }) => `${kind}: ${policy}`);
  };
  await withUsageSince(365, async () => {
    await createOld(person, 'idle', { created: 200, used: 50, expiresAt: inDays(20) });
    await person.createKey({ name: 'open', allowedAddresses: ['127.0.0.1'] });
    const [idle, open] = ['idle_30_days: ', 'never_expires: '] as const;
    assert.deepEqual(await policies({ maxKeyIdleDays: 51 }), [`${idle}null`, `${open}null`]);
    const second = await policies({ maxKeyIdleDays: 49, maxKeyLifetimeDays: 30 });
    assert.deepEqual(second, [`${idle}maxKeyIdleDays`, `${open}maxKeyLifetimeDays`]);
    assert.equal((await policies({ requireKeyExpiry: true }))[1], `${open}requireKeyExpiry`);
    await policies({ maxKeyLifetimeDays: null });
    const never = async () => (await policies({ maxKeyIdleDays: 49 })).find((s) => /never_used/.test(s));
    const { key } = await createOld(person, 'never used', { created: 200 });
    assert.equal(await never(), 'never_used: maxKeyIdleDays');
    for (const disabled of [true, false])
      assert.equal((await person.call('PATCH', `/v1/api-keys/${key.id}`, { disabled })).status, 200);
    assert.equal(await never(), 'never_used: null', 'it is idle since it was enabled');
  });
});

test('pages have every finding once, by kind or for one kind', async () => {
  const person = await newPerson();
  for (let i = 0; i < 5; i++) await person.createKey({ name: `key ${i}` });
  const pages = async (query: string) => {
    const found: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await report(person, `limit=2&${query}${cursor && `&cursor=${cursor}`}`);
      assert.ok(page.data.length <= 2);
      found.push(...page.data.map(({ kind, key }) => `${kind} ${key.name}`));
      cursor = page.nextCursor;
    }
    return found;
  };
  const of = (kind: HygieneKind) => [0, 1, 2, 3, 4].map((i) => `${kind} key ${i}`);
  assert.deepEqual(await pages(''), [...of('unrestricted'), ...of('never_expires')]);
  assert.deepEqual(await pages('kind=never_expires'), of('never_expires'));
});

test('the report needs keys:read, belongs to the workspace, and rejects wrong queries', async () => {
  const [person, stranger] = [await newPerson(), await newPerson()];
  await person.createKey({ name: 'mine' });
  assert.deepEqual((await report(stranger)).data, []);
  const call = (query: string, key?: string) =>
    contract.call('GET', `/v1/hygiene${query}`, key === undefined ? { as: person } : { key });
  const reader = await person.createKey({ name: 'reader', scopes: ['keys:read'] });
  assert.equal((await call('', reader.apiKey)).status, 200);
  const writer = await person.createKey({ name: 'writer', scopes: ['keys:write'] });
  assertProblem(await call('', writer.apiKey), 'insufficient_scope');
  const { nextCursor } = await report(person, 'limit=1');
  assert.ok(nextCursor);
  const wrong = ['kind=x', 'limit=0', 'limit=101', 'cursor=x', 'x=1', `kind=never_used&cursor=${nextCursor}`];
  for (const query of wrong) assertProblem(await call(`?${query}`), 'invalid_request');
});
