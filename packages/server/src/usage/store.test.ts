import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openWithSecrets } from '../../../../test/support/stored-secrets.ts';
import { SecretMemory } from '../verification/memory.ts';
import type { SecretCounts } from './held-uses.ts';
import { startOf } from './hours.ts';
import { Pace } from './pace.ts';
import { UsageReader } from './reader.ts';
import { UsageRecorder } from './recorder.ts';
import { SqliteUsageStore } from './store.ts';

const { database, secrets, close } = await openWithSecrets(600, 1);
after(close);
const store = new SqliteUsageStore(database);
const clock = { now: 0 };
const memory = new SecretMemory({ good: 1000, refused: 1 });
const pace = new Pace();
pace.hurry();
const recorder = new UsageRecorder(store, memory, pace);
const reader = new UsageReader(store, recorder);

async function storedRows(): Promise<number> {
  const { rows } = await database.kysely
    .selectFrom('usage_hour')
    .select((eb) => eb.fn.countAll<number>().as('rows'))
    .executeTakeFirstOrThrow();
  return rows;
}

test('a transaction takes the first of what it is given, as many as there is time for', async () => {
  clock.now = startOf(10);
  for (const secret of secrets) secret.use(memory, clock.now);
  const usages = secrets.flatMap((secret) => recorder.of(secret.keyId));
  assert.equal(usages.length, 600);
  const told: number[] = [];
  await store.write(usages, true, (count) => told.push(count));
  const [count = 0] = told;
  assert.equal(told.length, 1);
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

test('counts are deleted by their age, a slice at a time; the last use stays', async () => {
  for (const hour of [20, 21, 22]) {
    clock.now = startOf(hour);
    for (const secret of secrets) secret.use(memory, clock.now);
    await recorder.flush();
  }
  const before = await storedRows();
  assert.equal(await store.prune(22), true, 'there is more than one slice');
  assert.equal(await storedRows(), before - 500);
  while (await store.prune(22));
  assert.equal(await storedRows(), 600, 'the hour that is named stays');
  while (await store.prune(1000));
  assert.equal(await storedRows(), 0);
  const { hours, lastUse } = await reader.usage('key_7', 20, 23);
  assert.deepEqual(
    hours.map(({ accepted }) => accepted),
    [0, 0, 0],
  );
  assert.equal(lastUse?.at, startOf(22));
  assert.equal((await reader.lastUsedAt(['key_7'])).get('key_7'), startOf(22));
});

test('an hour that is written late does not set the last use back', async () => {
  const [secret] = secrets;
  assert.ok(secret !== undefined);
  secret.use(memory, startOf(30) + 5, { address: '203.0.113.1', agent: 'late/1' });
  secret.use(memory, startOf(31), { address: '203.0.113.2', agent: 'newest/1' });
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
  assert.deepEqual([row.at, row.address, row.agent], [startOf(31), '203.0.113.2', 'newest/1']);
});

test('no user agent is stored with a key in it', async () => {
  const [, secret] = secrets;
  assert.ok(secret !== undefined);
  clock.now = startOf(40);
  secret.use(memory, clock.now, { agent: `mine sk_live_${'aB3'.repeat(11)}` });
  await recorder.flush();
  const row = await database.kysely
    .selectFrom('last_use')
    .select('agent')
    .where('key_id', '=', secret.keyId)
    .executeTakeFirstOrThrow();
  assert.equal(row.agent, 'mine [redacted]');
});

test('of no key there is nothing', async () => {
  assert.deepEqual(await reader.lastUsedAt([]), new Map());
  assert.deepEqual(await reader.lastUsedAt(['key_unknown']), new Map());
});
