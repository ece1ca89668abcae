/** Usage is neither lost nor counted twice, whatever happens between counting and writing. */
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { sql } from 'kysely';
import { openWithSecrets } from '../../../../test/support/stored-secrets.ts';
import { emptyTables, firstHour, newWorld, startRecorder } from '../../../../test/support/usage-recorder.ts';
import { hourStart } from './hours.ts';
import { SqliteUsageLog } from './log.ts';
import { PendingUses } from './pending-uses.ts';

const { database, secrets, close } = await openWithSecrets(3, 2);
after(close);

/** A recorder on empty tables. */
async function newRecorder(good = 10) {
  await emptyTables(database);
  const world = newWorld();
  return { world, ...(await startRecorder(database, world, good)) };
}

/**
 * A recorder with so many secrets, in a database of its own. `use` uses each of them once, or only the first ones. A
 * test makes a flush fail when it has seen enough, because writing all of the counts takes hundreds of transactions.
 */
async function openMany(t: TestContext, count: number) {
  const many = await openWithSecrets(count, 1);
  t.after(() => many.close());
  const world = newWorld();
  const { cache, recorder } = await startRecorder(many.database, world, count);
  const use = (most = count) => {
    for (const secret of many.secrets.slice(0, most)) secret.use(cache, world.now);
  };
  return { world, recorder, use };
}

test('a crash after a save loses nothing, and the log is empty after the next flush', async () => {
  const { world, cache, recorder } = await newRecorder();
  for (const secret of secrets) secret.use(cache, world.now);
  await recorder.save();
  assert.equal(recorder.unsaved, 0);
  for (const secret of secrets) secret.use(cache, world.now + 1);
  await recorder.save();
  const next = await startRecorder(database, world, 10);
  assert.equal((await next.reader.usage('ws_1', 'key_0', firstHour, firstHour + 1)).hours[0]?.accepted, 4);
  await next.recorder.flush();
  const { rows } = await sql`SELECT id FROM usage_log`.execute(database.kysely);
  assert.deepEqual(rows, []);
  assert.equal((await next.reader.usage('ws_1', 'key_0', firstHour, firstHour + 1)).hours[0]?.accepted, 4);
});

test('the last use of a key in memory is known at once, until it is written', async () => {
  const { world, cache, recorder, reader } = await newRecorder();
  const [first, , , , , last] = secrets;
  assert.ok(first && last);
  const known = () => [first, last].map(({ keyId }) => reader.lastOpenUse(keyId));
  assert.deepEqual(known(), [undefined, undefined]);
  first.use(cache, world.now + 1);
  first.use(cache, world.now + 2);
  assert.deepEqual(known(), [world.now + 2, undefined]);
  await recorder.save();
  assert.deepEqual(known(), [world.now + 2, undefined], 'the log is no use for a statement');
  await recorder.flush();
  assert.deepEqual(known(), [undefined, undefined]);
});

test('a save and a cut are on the disk when they return, and an append takes few counts', async (t) => {
  const { world, recorder, use } = await openMany(t, 1100);
  use();
  world.commits = [];
  await recorder.save();
  assert.deepEqual(
    world.commits.map(({ durable }) => durable),
    [false, false, true],
    'three appends, of which the last makes all of them durable',
  );
  use();
  // Uses that are counted during the save before a cut are appended by the cut.
  let left = 3;
  world.meanwhile = async () => {
    left -= 1;
    if (left === 0) use(200);
  };
  world.commits = [];
  world.untilFailure = 4;
  await assert.rejects(recorder.flush(), /the disk is full/);
  assert.deepEqual(
    world.commits.map(({ durable }) => durable),
    [false, false, true, true],
    'three appends and the cut',
  );
});

test('a flush that cannot keep up with the uses saves again only a few times', async (t) => {
  const { world, recorder, use } = await openMany(t, 1100);
  use();
  world.meanwhile = async () => use();
  world.commits = [];
  world.untilFailure = 60;
  await assert.rejects(recorder.flush(), /the disk is full/);
  const appends = world.commits.findIndex(({ durable }, i) => durable && world.commits[i + 1]?.durable);
  assert.ok(appends > 0 && appends < 50, `${appends} appends before the cut`);
});

test('a row of the log that was changed by hand is dropped, and the others are read', async () => {
  const { world, cache, recorder } = await newRecorder();
  for (const changed of ['{', '{"clients":[]}', '']) {
    await emptyTables(database);
    secrets[0]?.use(cache, world.now);
    await recorder.save();
    await sql`INSERT INTO usage_log (id, counts) VALUES (1000, ${changed})`.execute(database.kysely);
    const pending = new PendingUses();
    assert.deepEqual(await new SqliteUsageLog(database).recover(pending), [1000]);
    assert.equal(pending.of('key_0').length, 1);
  }
});

test('a log of the previous version, without the codes of rejections, is read', async () => {
  const { world } = await newRecorder();
  const hash = Buffer.from(secrets[0]?.hash ?? '', 'latin1').toString('base64');
  const uses = [[hash, firstHour, 2, 3, 5, 0, true]];
  const counts = JSON.stringify({ clients: [['203.0.113.7', 'old/1']], uses });
  await sql`INSERT INTO usage_log (id, counts) VALUES (1, ${counts})`.execute(database.kysely);
  const { recorder, reader } = await startRecorder(database, world, 10);
  const found = async () => (await reader.workspace('ws_1', firstHour, firstHour + 1))[0];
  const expected = { hour: firstHour, accepted: 2, refusedBy: { other: 3 } };
  assert.deepEqual(await found(), expected);
  await recorder.flush();
  assert.deepEqual(await found(), expected);
});

test('a save during a flush saves everything that was counted before it', async (t) => {
  const { world, recorder, use } = await openMany(t, 1100);
  use();
  const flush = recorder.flush();
  await turn();
  await recorder.save();
  assert.equal(recorder.unsaved, 0);
  world.untilFailure = 0;
  await assert.rejects(flush, /the disk is full/);
});

test('a read during a flush sees every use once', async () => {
  const { world, cache, recorder, reader } = await newRecorder();
  for (const secret of secrets) secret.use(cache, world.now);
  const looks: Promise<number | undefined>[] = [];
  const look = async () => (await reader.usage('ws_1', 'key_0', firstHour, firstHour + 1)).hours[0]?.accepted;
  world.meanwhile = async () => {
    // Each one reads at another point of what follows.
    for (let turns = 0; turns < 12; turns++) {
      let later: Promise<unknown> = Promise.resolve();
      for (let i = 0; i < turns; i++) later = later.then(() => undefined);
      looks.push(later.then(look));
    }
  };
  await recorder.flush();
  const seen = await Promise.all(looks);
  assert.ok(seen.length > 50);
  assert.deepEqual([...new Set(seen)], [2]);
});

test('a failed flush loses nothing, and the next one writes each use once', async () => {
  const { world, cache, recorder, reader, unwritten } = await newRecorder();
  for (const secret of secrets) secret.use(cache, world.now);
  world.untilFailure = 0;
  await assert.rejects(recorder.flush(), /the disk is full/);
  assert.equal(unwritten(), secrets.length);
  const rows = () => database.kysely.selectFrom('usage_hour').selectAll().execute();
  assert.deepEqual(await rows(), []);
  world.untilFailure = Number.POSITIVE_INFINITY;
  await recorder.flush();
  assert.equal(unwritten(), 0);
  assert.deepEqual(
    (await rows()).map(({ accepted }) => accepted),
    secrets.map(() => 1),
  );
  assert.equal((await reader.usage('ws_1', 'key_0', firstHour, firstHour + 1)).hours[0]?.accepted, 2);
});

test('one flush writes all uses of all tables', async () => {
  const { world, cache, recorder, unwritten } = await newRecorder();
  secrets[0]?.use(cache, world.now);
  for (const secret of secrets) secret.use(cache, world.now, { ended: true });
  await recorder.flush();
  assert.equal(unwritten(), 0);
});

test('while nothing can be written, memory grows with the used secrets and not with the number of uses', async () => {
  const { world, cache, recorder, unwritten, reader } = await newRecorder(1);
  world.untilFailure = 0;
  for (let round = 0; round < 100; round++) {
    for (const secret of secrets) secret.use(cache, world.now);
    await assert.rejects(recorder.flush(), /the disk is full/);
    assert.ok(unwritten() <= 2 * secrets.length, `${unwritten()}`);
  }
  world.untilFailure = Number.POSITIVE_INFINITY;
  await recorder.flush();
  assert.equal(unwritten(), 0);
  assert.equal((await reader.usage('ws_1', 'key_0', firstHour, firstHour + 1)).hours[0]?.accepted, 200);
});

test('after a wrong clock is set back, uses count in the right hour at once', async () => {
  const { world, cache, recorder, reader } = await newRecorder();
  const [secret] = secrets;
  const counts = async (hour: number) =>
    (await reader.usage('ws_1', 'key_0', hour, hour + 1)).hours.map(({ accepted }) => accepted);
  secret?.use(cache, hourStart(firstHour + 50));
  secret?.use(cache, world.now);
  await recorder.flush();
  secret?.use(cache, world.now);
  assert.deepEqual([await counts(firstHour + 50), await counts(firstHour)], [[1], [2]]);
});

test('a write of another caller, such as a revoke, runs between two transactions of a flush', async () => {
  const { world, cache, recorder } = await newRecorder();
  for (const secret of secrets) secret.use(cache, world.now);
  const order: string[] = [];
  const revoke = () =>
    database.transact(
      () => undefined,
      () => order.push('revoke'),
    );
  let revoked: Promise<void> | undefined;
  world.meanwhile = async () => {
    order.push('flush');
    revoked ??= revoke();
  };
  await recorder.flush();
  await revoked;
  assert.ok(order.indexOf('revoke') < 3, order.join(', '));
  assert.ok(order.length > 5, order.join(', '));
});
