/** Counting and writing: nothing is lost, and nothing counted twice, whatever happens in between. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { times } from '../../../../test/support/long.ts';
import { openWithSecrets } from '../../../../test/support/stored-secrets.ts';
import type { Database } from '../database/open.ts';
import { SecretCache } from '../verification/secret-cache.ts';
import { hourOf, hourStart } from './hours.ts';
import { Pace } from './pace.ts';
import { UsageReader } from './reader.ts';
import { UsageRecorder, type UsageSink } from './recorder.ts';
import { SqliteUsageStore } from './store.ts';

const { database, secrets, close } = await openWithSecrets(3, 2);
after(close);
const firstHour = 500_000;

/** What a test steers. */
interface World {
  now: number;
  /** Whether transactions fail, after all their rows were written. */
  failing: boolean;
  /** Called before each transaction, and in the rest after it. */
  meanwhile: () => Promise<void>;
}

/**
 * A recorder on empty tables, that writes two rows in one transaction at most.
 *
 * @param good how many of the six secrets the verification remembers
 */
async function newRecorder(good = 10) {
  const world: World = { now: hourStart(firstHour), failing: false, meanwhile: async () => undefined };
  await database.kysely.deleteFrom('usage_hour').execute();
  await database.kysely.deleteFrom('last_use').execute();
  const memory = new SecretCache({ good, refused: 1 });
  const failable: Database = {
    ...database,
    transact: (work, committed) =>
      database.transact((connection) => {
        const result = work(connection);
        if (world.failing) throw new Error('the disk is full');
        return result;
      }, committed),
  };
  const store = new SqliteUsageStore(failable);
  const sink: UsageSink['write'] = async (usages, durable, written) => {
    const handed = JSON.stringify(usages);
    await world.meanwhile();
    assert.equal(JSON.stringify(usages), handed, 'what was handed over does not change');
    await store.write(usages.slice(0, 2), durable, written);
  };
  const pace = new Pace(() => world.meanwhile());
  const recorder = new UsageRecorder({ write: sink }, memory, pace);
  return { world, memory, recorder, reader: new UsageReader(store, recorder) };
}

type Subject = Awaited<ReturnType<typeof newRecorder>>;

interface Use {
  refused: boolean;
  /** The secret was revoked, so its uses are counted elsewhere. */
  ended: boolean;
  address: string;
}

/** What must be found: for each key, `hour accepted refused` of the hours that have any, and the last use. */
class Model {
  readonly #counts = new Map<string, { accepted: number; refused: number }>();
  readonly #last = new Map<string, { at: number; address: string }>();

  use(keyId: string, now: number, { refused, ended, address }: Use): void {
    const place = `${keyId} ${hourOf(now)}`;
    const counts = this.#counts.get(place) ?? { accepted: 0, refused: 0 };
    this.#counts.set(place, counts);
    counts[refused || ended ? 'refused' : 'accepted'] += 1;
    if (!refused && !ended) this.#last.set(keyId, { at: now, address });
  }

  async assertHolds({ reader }: Subject): Promise<void> {
    for (const keyId of new Set(secrets.map((secret) => secret.keyId))) {
      const { hours, lastUse } = await reader.usage(keyId, firstHour, firstHour + 100);
      for (const { hour, accepted, refused } of hours) {
        const expected = this.#counts.get(`${keyId} ${hour}`) ?? { accepted: 0, refused: 0 };
        assert.deepEqual({ accepted, refused }, expected, `${keyId} in hour ${hour - firstHour}`);
      }
      const last = this.#last.get(keyId);
      assert.equal(lastUse?.at, last?.at);
      assert.equal(lastUse?.address, last?.address);
      assert.equal((await reader.lastUsedAt([keyId])).get(keyId), last?.at);
    }
  }
}

const useSome = fc.record({
  kind: fc.constant('use' as const),
  secret: fc.nat(secrets.length - 1),
  refused: fc.boolean(),
  ended: fc.boolean(),
  address: fc.constantFrom('203.0.113.1', '203.0.113.2'),
});
const step = fc.oneof(
  { arbitrary: useSome, weight: 5 },
  fc.record({ kind: fc.constant('time' as const), minutes: fc.integer({ min: 1, max: 70 }) }),
  fc.record({
    kind: fc.constant('flush' as const),
    failing: fc.boolean(),
    meanwhile: fc.array(useSome, { maxLength: 8 }),
  }),
);

test('after any sequence of uses, flushes, failures and hours, also in the middle of a flush, what is told is what happened', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40, size: 'max' }),
      fc.integer({ min: 1, max: 7 }),
      async (steps, good) => {
        const subject = await newRecorder(good);
        const { world, memory, recorder } = subject;
        const model = new Model();
        const use = (used: Use & { secret: number }) => {
          // No two in one millisecond: of those nobody could tell which was the last.
          world.now += 1;
          secrets[used.secret]?.use(memory, world.now, used);
          model.use(secrets[used.secret]?.keyId ?? '', world.now, used);
        };
        for (const now of steps) {
          if (now.kind === 'use') use(now);
          else if (now.kind === 'time') world.now += now.minutes * 60_000;
          else {
            const uses = [...now.meanwhile];
            world.meanwhile = async () => {
              for (const next of uses.splice(0, 2)) use(next);
              await model.assertHolds(subject);
            };
            world.failing = now.failing;
            await recorder.flush().catch((error) => assert.match(String(error), /the disk is full/));
            world.failing = false;
            world.meanwhile = async () => undefined;
          }
          await model.assertHolds(subject);
        }
        // Flushed until all is idle, the database alone knows everything.
        world.now += 1;
        await recorder.flush();
        assert.equal(recorder.pending, 0);
        await model.assertHolds(subject);
      },
    ),
    { numRuns: times(12, 600) },
  );
});

test('who looks while a flush writes sees every use once', async () => {
  const { world, memory, recorder, reader } = await newRecorder();
  for (const secret of secrets) secret.use(memory, world.now);
  const looks: Promise<number | undefined>[] = [];
  const look = async () => (await reader.usage('key_0', firstHour, firstHour + 1)).hours[0]?.accepted;
  world.meanwhile = async () => {
    // Each of them comes to a look at another moment of what follows.
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

test('a flush that fails loses nothing, and the next one writes it once', async () => {
  const { world, memory, recorder, reader } = await newRecorder();
  for (const secret of secrets) secret.use(memory, world.now);
  world.failing = true;
  await assert.rejects(recorder.flush(), /the disk is full/);
  assert.equal(recorder.pending, secrets.length);
  const rows = () => database.kysely.selectFrom('usage_hour').selectAll().execute();
  assert.deepEqual(await rows(), []);
  world.failing = false;
  await recorder.flush();
  assert.equal(recorder.pending, 0);
  assert.deepEqual(
    (await rows()).map(({ accepted }) => accepted),
    secrets.map(() => 1),
  );
  assert.equal((await reader.usage('key_0', firstHour, firstHour + 1)).hours[0]?.accepted, 2);
});

test('one flush writes all uses of all tables', async () => {
  const { world, memory, recorder } = await newRecorder();
  secrets[0]?.use(memory, world.now);
  for (const secret of secrets) secret.use(memory, world.now, { ended: true });
  await recorder.flush();
  assert.equal(recorder.pending, 0);
});

test('while nothing can be written, memory grows with the secrets that are used and not with their uses', async () => {
  const { world, memory, recorder, reader } = await newRecorder(1);
  world.failing = true;
  for (let round = 0; round < 100; round++) {
    for (const secret of secrets) secret.use(memory, world.now);
    await assert.rejects(recorder.flush(), /the disk is full/);
    assert.ok(recorder.pending <= 2 * secrets.length, `${recorder.pending}`);
  }
  world.failing = false;
  await recorder.flush();
  assert.equal(recorder.pending, 0);
  assert.equal((await reader.usage('key_0', firstHour, firstHour + 1)).hours[0]?.accepted, 200);
});

test('after a clock that was wrong is set back, uses count in the right hour at once', async () => {
  const { world, memory, recorder, reader } = await newRecorder();
  const [secret] = secrets;
  const counts = async (hour: number) =>
    (await reader.usage('key_0', hour, hour + 1)).hours.map(({ accepted }) => accepted);
  secret?.use(memory, hourStart(firstHour + 50));
  secret?.use(memory, world.now);
  await recorder.flush();
  secret?.use(memory, world.now);
  assert.deepEqual([await counts(firstHour + 50), await counts(firstHour)], [[1], [2]]);
});

test('what another caller has to write, such as a revoke, comes between two transactions of a flush', async () => {
  const { world, memory, recorder } = await newRecorder();
  for (const secret of secrets) secret.use(memory, world.now);
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
