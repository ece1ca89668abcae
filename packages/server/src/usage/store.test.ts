import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openWithSecrets } from '../../../../test/support/stored-secrets.ts';
import { SecretCache } from '../verification/secret-cache.ts';
import { hourStart } from './hours.ts';
import { Pacer } from './pacer.ts';
import type { SecretCounts } from './pending-uses.ts';
import { UsageReader } from './reader.ts';
import { UsageRecorder } from './recorder.ts';
import { SqliteUsageStore } from './store.ts';

const { database, secrets, close } = await openWithSecrets(600, 1);
after(close);
const store = new SqliteUsageStore(database);
const clock = { now: 0 };
const cache = new SecretCache({ valid: 1000, rejected: 1 });
const pacer = new Pacer();
pacer.hurry();
await store.log.recover(cache.pending);
const recorder = new UsageRecorder(store, cache, pacer, store.log);
const reader = new UsageReader(store, recorder);

async function storedRows(): Promise<number> {
  const { rows } = await database.kysely
    .selectFrom('usage_hour')
    .select((eb) => eb.fn.countAll<number>().as('rows'))
    .executeTakeFirstOrThrow();
  return rows;
}

test('a transaction writes as many of the given counts as its time allows, in order', async () => {
  clock.now = hourStart(10);
  for (const secret of secrets) secret.use(cache, clock.now);
  const usages = secrets.flatMap((secret) => recorder.of(secret.keyId));
  assert.equal(usages.length, 600);
  const written: number[] = [];
  await store.write(usages, true, (count) => written.push(count));
  const [count = 0] = written;
  assert.equal(written.length, 1);
  assert.ok(count >= 1);
  const stored = await database.kysely.selectFrom('usage_hour').select('key_id').execute();
  assert.deepEqual(
    stored.map((row) => row.key_id),
    secrets
      .slice(0, count)
      .map((secret) => secret.keyId)
      .sort(),
  );
});

test('counts are deleted by age in batches; the last use stays', async () => {
  for (const hour of [20, 21, 22]) {
    clock.now = hourStart(hour);
    for (const secret of secrets) secret.use(cache, clock.now);
    await recorder.flush();
  }
  for (const day of [0, 1])
    await database.kysely.insertInto('usage_client').values({ day, owner: 'ws_1', clients: '' }).execute();
  const before = await storedRows();
  assert.equal(await store.prune(22), true, 'there is more than one slice');
  assert.equal(await storedRows(), before - 500);
  while (await store.prune(22));
  assert.equal(await storedRows(), 600, 'the hour that is named stays');
  assert.equal((await database.kysely.selectFrom('usage_client').selectAll().execute()).length, 2);
  while (await store.prune(24));
  const clients = await database.kysely.selectFrom('usage_client').select('day').execute();
  assert.deepEqual(
    clients.map(({ day }) => day),
    [1],
    'the day that contains the hour stays',
  );
  while (await store.prune(1000));
  assert.equal(await storedRows(), 0);
  for (const table of ['usage_total', 'usage_day', 'usage_client'] as const)
    assert.deepEqual(await database.kysely.selectFrom(table).selectAll().execute(), [], table);
  const { hours, lastUse } = await reader.usage('ws_1', 'key_7', 20, 23);
  assert.deepEqual(
    hours.map(({ accepted }) => accepted),
    [0, 0, 0],
  );
  assert.equal(lastUse?.at, hourStart(22));
  const uses = (await reader.lastUses(['key_7'])).get('key_7');
  assert.deepEqual(
    uses?.map(({ at }) => at),
    [hourStart(22)],
  );
});

test('an hour that is written late does not move the last use back', async () => {
  const [secret] = secrets;
  assert.ok(secret !== undefined);
  secret.use(cache, hourStart(30) + 5, { address: '203.0.113.1', agent: 'late/1' });
  secret.use(cache, hourStart(31), { address: '203.0.113.2', agent: 'newest/1' });
  for (const hour of [31, 30]) {
    const usages: readonly SecretCounts[] = recorder.of(secret.keyId).filter((one) => one.hour === hour);
    assert.equal(usages.length, 1, 'the first is always written, however slow the machine is');
    await store.write(usages, true, () => undefined);
  }
  const row = await database.kysely
    .selectFrom('last_use')
    .selectAll()
    .where('key_id', '=', secret.keyId)
    .executeTakeFirstOrThrow();
  assert.deepEqual([row.at, row.address, row.agent], [hourStart(31), '203.0.113.2', 'newest/1']);
});

test('last uses are written before a flush, which counts them once', async () => {
  const [, , secret] = secrets;
  assert.ok(secret !== undefined);
  const stored = async () => {
    const use = database.kysely.selectFrom('key_use').select('used_at').where('key_id', '=', secret.keyId);
    return (await use.executeTakeFirstOrThrow()).used_at;
  };
  for (const [hour, ms] of [
    [50, 0],
    [51, 299_999],
    [51, 300_000],
  ] as const) {
    secret.use(cache, hourStart(hour) + ms);
    await store.writeLastUses(recorder.of(secret.keyId));
    assert.equal(await stored(), hourStart(hour) + ms - (ms % 300_000));
  }
  await recorder.flush();
  const { hours } = await reader.usage('ws_1', secret.keyId, 50, 52);
  assert.deepEqual(
    hours.map(({ accepted }) => accepted),
    [1, 2],
  );
});

test('a key in a user agent is not stored', async () => {
  const [, secret] = secrets;
  assert.ok(secret !== undefined);
  clock.now = hourStart(40);
  secret.use(cache, clock.now, { agent: `mine sk_live_${'aB3'.repeat(11)}` });
  await recorder.flush();
  const row = await database.kysely
    .selectFrom('last_use')
    .select('agent')
    .where('key_id', '=', secret.keyId)
    .executeTakeFirstOrThrow();
  assert.equal(row.agent, 'mine [redacted]');
});

test('an empty list of keys returns nothing', async () => {
  assert.deepEqual(await reader.lastUses([]), new Map());
  assert.deepEqual(await reader.lastUses(['key_unknown']), new Map());
});
