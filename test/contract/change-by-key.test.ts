/** PATCH of a key by a calling key: what it may change, and what it passes on to new keys. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createdKeySchema, keyChangeSchema } from '@soku/contract/keys';
import { assertProblem, Contract } from '../support/contract.ts';
import { assertField, inDays, KeyCalls } from '../support/key-calls.ts';
import { runSql } from '../support/run-sql.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const ada = await openSession(server);
const keys = new KeyCalls(contract, ada);
const scopes = ['keys:read', 'keys:write'];
await ada.setScopes(['files:read', 'files:write']);

test('a calling key can change only keys whose policy it covers, before and after the change', async () => {
  const own = {
    scopes: ['keys:read', 'keys:write', 'files:*'],
    expiresAt: inDays(30),
    // The server and the tests are on this machine.
    allowedAddresses: ['127.0.0.0/8', '::1', '10.0.0.0/8', '2001:db8::/32'],
    rateLimit: 1_000_000,
    externalId: 'customer 1',
  };
  const manager = await ada.createKey({ name: 'manager', ...own });
  const covered = {
    scopes: ['files:read'],
    expiresAt: inDays(1),
    allowedAddresses: ['10.1.0.0/16', '2001:db8::1'],
    rateLimit: 10,
    externalId: 'customer 1',
  };
  const wider: [object, string, RegExp][] = [
    [{ expiresAt: null }, 'expiresAt', /not be later/],
    [{ expiresAt: inDays(31) }, 'expiresAt', /not be later/],
    [{ allowedAddresses: null }, 'allowedAddresses', /among the allowed addresses/],
    [{ allowedAddresses: [] }, 'allowedAddresses', /among the allowed addresses/],
    [{ allowedAddresses: ['10.0.0.0/7'] }, 'allowedAddresses', /among/],
    [{ allowedAddresses: ['10.1.0.0/16', '192.0.2.1'] }, 'allowedAddresses', /among/],
    [{ allowedAddresses: ['::/0'] }, 'allowedAddresses', /among/],
    [{ rateLimit: 1_000_001 }, 'rateLimit', /not be higher/],
    [{ rateLimit: 'off' }, 'rateLimit', /not be higher/],
    [{ externalId: null }, 'externalId', /of the calling key/],
    [{ externalId: 'customer 2' }, 'externalId', /of the calling key/],
  ];
  const { key } = await ada.createKey({ name: 'covered', ...covered });
  for (const [body, path, problem] of wider) {
    assertField(await keys.change(key.id, body, manager.apiKey), path, problem);
    // The same fields of a key that a person created.
    const other = await ada.createKey({ name: 'wider', ...covered });
    await keys.changed(other.key.id, body);
    for (const harmless of [{ name: 'taken over' }, { disabled: true }, covered]) {
      const response = await keys.change(other.key.id, harmless, manager.apiKey);
      assertField(response, path, problem);
      assert.match(response.text, /with more permissions than its own/);
    }
    await ada.revoke(other.key.id);
  }
  for (const wide of [['keys:verify'], ['*'], ['file'], ['files:*', 'audit:read']]) {
    const { details } = assertProblem(
      await keys.change(key.id, { scopes: wide }, manager.apiKey),
      'insufficient_scope',
    );
    assert.equal(details?.[0]?.path, 'scopes');
  }
  assert.deepEqual(await keys.read(key.id), { ...key, name: 'covered' });
  const narrower = {
    scopes: ['files:*'],
    expiresAt: inDays(29),
    allowedAddresses: ['10.0.0.0/8', '2001:db8:1::/48', '127.0.0.1'],
    rateLimit: 1_000_000,
    disabled: true,
  };
  assert.equal((await keys.change(key.id, narrower, manager.apiKey)).status, 200);
  assert.equal((await keys.change(key.id, { disabled: false }, manager.apiKey)).status, 200);
});

test('a calling key passes on its restrictions to the keys that it creates', async () => {
  const restrictions = {
    expiresAt: inDays(30),
    allowedAddresses: ['127.0.0.1', '::1'],
    externalId: 'customer 1',
  };
  const manager = await ada.createKey({ name: 'manager', scopes, ...restrictions });
  const create = (body: object) => contract.call('POST', '/v1/api-keys', { key: manager.apiKey, body });
  for (const body of [{}, { expiresAt: null }, { externalId: null }]) {
    const { key } = createdKeySchema.parse((await create({ name: 'child', ...body })).body);
    const { expiresAt, allowedAddresses, externalId } = key;
    assert.deepEqual({ expiresAt, allowedAddresses, externalId }, restrictions);
  }
  assertField(await create({ name: 'x', allowedAddresses: [] }), 'allowedAddresses', /among/);
  assertField(await create({ name: 'x', allowedAddresses: ['127.0.0.0/24'] }), 'allowedAddresses', /among/);
  assertField(await create({ name: 'x', expiresAt: inDays(31) }), 'expiresAt', /later/);
  assertField(await create({ name: 'x', externalId: 'customer 2' }), 'externalId', /calling key/);
  assertField(await create({ name: 'x', environment: 'test' }), 'environment', /live/);
});

test('a key without keys:read gets back what it sent, in its canonical form', async () => {
  const writer = await ada.createKey({ name: 'writer', scopes: ['keys:write'] });
  const { key } = await ada.createKey({ name: 'target', metadata: { secret: 'of others' } });
  const expiresAt = inDays(1);
  const sent = { allowedAddresses: ['::ffff:10.0.0.1'], expiresAt, disabled: true, externalId: ' x ' };
  const response = await keys.change(key.id, sent, writer.apiKey);
  const expected = { id: key.id, allowedAddresses: ['10.0.0.1'], expiresAt, disabled: true, externalId: 'x' };
  assert.deepEqual(keyChangeSchema.strict().parse(response.body), expected);
  const cleared = await keys.change(
    key.id,
    { allowedAddresses: null, metadata: null, scopes: null },
    writer.apiKey,
  );
  assert.deepEqual(cleared.body, { id: key.id, allowedAddresses: [], metadata: {}, scopes: [] });
});

test('concurrent changes of different fields are all kept', async () => {
  const { key } = await ada.createKey({ name: 'contested' });
  const manager = await ada.createKey({ name: 'manager', scopes });
  const bodies = [
    { name: 'contested 2' },
    { expiresAt: inDays(20) },
    { disabled: true },
    { scopes: ['keys:read'] },
    { allowedAddresses: ['192.0.2.0/24'] },
    { rateLimit: 70 },
    { externalId: 'seven' },
    { metadata: { a: 'b' } },
  ];
  // People and a key lock the rows in the same order, so none of them fails.
  for (let round = 0; round < 5; round++) {
    const responses = await Promise.all(
      bodies.flatMap((body, i) => {
        const caller = (i + round) % 2 === 0 ? undefined : manager.apiKey;
        return [keys.change(key.id, body, caller), keys.change(key.id, body)];
      }),
    );
    assert.deepEqual(new Set(responses.map(({ status }) => status)), new Set([200]));
    const { disabledAt, ...after } = await keys.read(key.id);
    assert.ok(disabledAt !== null);
    assert.deepEqual(after, {
      ...(({ disabledAt: _, ...rest }) => rest)(key),
      ...Object.assign({}, ...bodies.map(({ disabled: _, ...body }: { disabled?: boolean }) => body)),
      status: 'disabled',
    });
    assert.equal(
      (await keys.change(key.id, { disabled: false, scopes: null, rateLimit: null, externalId: null }))
        .status,
      200,
    );
  }
});

test('a person who revives a key and a key that changes it do not block each other', async () => {
  const manager = await ada.createKey({ name: 'manager', scopes });
  for (let round = 0; round < 10; round++) {
    const { key } = await ada.createKey({ name: 'expired', expiresAt: inDays(1) });
    await runSql(server, 'UPDATE api_key SET expires_at = 1 WHERE id = ?', key.id);
    const rename = () => keys.change(key.id, { name: 'renamed' }, manager.apiKey);
    const revive = () => keys.change(key.id, { expiresAt: null });
    const responses = await Promise.all([rename(), revive(), rename(), revive(), rename()]);
    for (const { status, text } of responses) assert.equal(status, 200, text);
  }
});

test('ASVS 15.4.2: a key whose addresses are being narrowed cannot pass on the old ones', async () => {
  for (let round = 0; round < 10; round++) {
    const wide = ['127.0.0.0/8', '::1', '10.0.0.0/8'];
    const manager = await ada.createKey({ name: 'manager', scopes, allowedAddresses: wide });
    const { key } = await ada.createKey({ name: 'target', allowedAddresses: ['127.0.0.1'] });
    const widen = () => keys.change(key.id, { allowedAddresses: wide }, manager.apiKey);
    const narrowed = keys.change(manager.key.id, { allowedAddresses: ['127.0.0.1', '::1'] });
    const early = [widen(), widen()];
    await narrowed;
    const late = await widen();
    assertField(late, 'allowedAddresses', /among/);
    for (const response of await Promise.all(early)) assert.ok([200, 400].includes(response.status));
    for (const { id } of [key, manager.key]) await ada.revoke(id);
  }
});
