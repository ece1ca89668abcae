/** For any sequence of events, usage is neither lost nor counted twice. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { runCount } from '../../../../test/support/run-count.ts';
import { openWithSecrets } from '../../../../test/support/stored-secrets.ts';
import { emptyTables, firstHour, newWorld, startRecorder } from '../../../../test/support/usage-recorder.ts';
import type { HistoryReader } from './history-reader.ts';
import { hourOf } from './hours.ts';
import type { UsageReader } from './reader.ts';
import { countRejections } from './rejection-counts.ts';

const { database, secrets, close } = await openWithSecrets(3, 2);
after(close);

type Subject = Pick<Awaited<ReturnType<typeof startRecorder>>, 'reader' | 'history'>;

interface Use {
  refused: boolean;
  /** The secret was revoked, so its uses are counted in another table. */
  ended: boolean;
  address: string;
}

interface Counts {
  accepted: number;
  refused: number;
}

const keyIds = [...new Set(secrets.map((secret) => secret.keyId))];
const zero: Counts = { accepted: 0, refused: 0 };

/** What must be found: the counts of each key and hour, and the last use of each key. */
class Model {
  #counts = new Map<string, Counts>();
  #last = new Map<string, { at: number; address: string }>();
  /** The counts that a crash cannot lose. */
  #saved = new Map<string, Counts>();

  use(keyId: string, now: number, { refused, ended, address }: Use): void {
    const place = `${keyId} ${hourOf(now)}`;
    const counts = { ...(this.#counts.get(place) ?? zero) };
    this.#counts.set(place, counts);
    counts[refused || ended ? 'refused' : 'accepted'] += 1;
    if (!refused && !ended) this.#last.set(keyId, { at: now, address });
  }

  /** Starts a save. @returns a function to call when it has succeeded */
  save(): () => void {
    const counts = new Map(this.#counts);
    return () => {
      this.#saved = counts;
    };
  }

  async assertHolds({ reader, history }: Subject): Promise<void> {
    for (const keyId of keyIds) {
      const { hours, lastUse } = await reader.usage('ws_1', keyId, firstHour, firstHour + 100);
      for (const { hour, accepted, refused } of hours) {
        const expected = this.#counts.get(`${keyId} ${hour}`) ?? zero;
        assert.deepEqual({ accepted, refused }, expected, `${keyId} in hour ${hour - firstHour}`);
      }
      const last = this.#last.get(keyId);
      assert.equal(lastUse?.at, last?.at);
      assert.equal(lastUse?.address, last?.address);
      const uses = (await reader.lastUses([keyId])).get(keyId) ?? [];
      assert.equal(uses.length === 0 ? undefined : Math.max(...uses.map(({ at }) => at)), last?.at);
    }
    await this.#assertTotals(reader);
    await this.#assertDays(history);
  }

  /** The days have what the hours have. */
  async #assertDays(history: HistoryReader): Promise<void> {
    const range = [firstHour, firstHour + 100] as const;
    const found = new Map<string, Counts>();
    for (const keyId of keyIds) {
      for (const { hour, outcome, requests } of (await history.key(keyId, ...range)).outcomes) {
        const counts = found.get(`${keyId} ${hour}`) ?? { ...zero };
        counts[outcome === 'accepted' ? 'accepted' : 'refused'] += requests;
        found.set(`${keyId} ${hour}`, counts);
      }
    }
    const used = ({ accepted, refused }: Counts) => accepted + refused > 0;
    const expected = [...this.#counts].filter(([, counts]) => used(counts));
    assert.deepEqual(new Map([...found].filter(([, counts]) => used(counts))), new Map(expected), 'days');
    const { outcomes } = await history.workspace('ws_1', ...range);
    const sum = expected.reduce((total, [, { accepted, refused }]) => total + accepted + refused, 0);
    assert.equal(
      outcomes.reduce((total, { requests }) => total + requests, 0),
      sum,
      'days of the workspace',
    );
  }

  /** The totals of the workspace are the sums of its keys, and so are the rejections by code. */
  async #assertTotals(reader: UsageReader): Promise<void> {
    const range = [firstHour, firstHour + 100] as const;
    for (const { hour, accepted, refusedBy } of await reader.workspace('ws_1', ...range)) {
      const counts = keyIds.map((keyId) => this.#counts.get(`${keyId} ${hour}`) ?? zero);
      const sum = (of: keyof Counts) => counts.reduce((total, one) => total + one[of], 0);
      const found = { accepted, refused: countRejections(refusedBy) };
      assert.deepEqual(found, { accepted: sum('accepted'), refused: sum('refused') }, `hour ${hour}`);
    }
    for (const [keyId, { accepted, refusedBy }] of await reader.outcomes('ws_1', keyIds, ...range)) {
      const counts = (await reader.counts([keyId], ...range)).get(keyId);
      assert.deepEqual({ accepted, refused: countRejections(refusedBy) }, counts, keyId);
    }
  }

  /** After a crash, each count is between what was saved and what was used. From then on it is what was found. */
  async recover({ reader }: Subject): Promise<void> {
    for (const keyId of keyIds) {
      const { hours, lastUse } = await reader.usage('ws_1', keyId, firstHour, firstHour + 100);
      for (const { hour, accepted, refused } of hours) {
        const place = `${keyId} ${hour}`;
        const [least, most] = [this.#saved.get(place) ?? zero, this.#counts.get(place) ?? zero];
        assert.ok(least.accepted <= accepted && accepted <= most.accepted, `${place}: ${accepted} accepted`);
        assert.ok(least.refused <= refused && refused <= most.refused, `${place}: ${refused} refused`);
        this.#counts.set(place, { accepted, refused });
      }
      if (lastUse === undefined) this.#last.delete(keyId);
      else this.#last.set(keyId, lastUse);
    }
    this.#saved = new Map(this.#counts);
  }
}

const useSome = fc.record({
  kind: fc.constant('use' as const),
  secret: fc.nat(secrets.length - 1),
  refused: fc.boolean(),
  ended: fc.boolean(),
  address: fc.constantFrom('203.0.113.1', '203.0.113.2'),
});
const write = fc.record({
  kind: fc.constantFrom('save' as const, 'flush' as const),
  untilFailure: fc.oneof(fc.nat(5), fc.constant(Number.POSITIVE_INFINITY)),
  meanwhile: fc.array(useSome, { maxLength: 8 }),
});
const step = fc.oneof(
  { arbitrary: useSome, weight: 5 },
  { arbitrary: write, weight: 2 },
  fc.record({ kind: fc.constant('time' as const), minutes: fc.integer({ min: 1, max: 70 }) }),
  fc.record({ kind: fc.constant('crash' as const) }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const useOf = (secret: number, ended = false) =>
  ({ kind: 'use', secret, refused: false, ended, address: '203.0.113.1' }) as const;

/** Sequences that exposed mistakes, and are rare among the random ones. */
const foundBefore: [Step[], number, number][] = [
  // The log is appended to after a flush that failed at its first count.
  [
    [
      useOf(0),
      { kind: 'flush', untilFailure: 2, meanwhile: [] },
      useOf(0),
      { kind: 'save', untilFailure: 1, meanwhile: [] },
      { kind: 'crash' },
    ],
    1,
    100,
  ],
  // Counts leave a table between the last append and the cut.
  [
    [
      useOf(0),
      { kind: 'flush', untilFailure: 2, meanwhile: [useOf(0, true), useOf(1, true)] },
      { kind: 'save', untilFailure: 1, meanwhile: [] },
      { kind: 'crash' },
    ],
    1,
    100,
  ],
  // A flush cuts the log although an earlier one has written its counts and not removed them from the log.
  [
    [
      useOf(0),
      { kind: 'flush', untilFailure: 2, meanwhile: [] },
      { kind: 'flush', untilFailure: 1, meanwhile: [] },
      useOf(0, true),
      useOf(0),
      { kind: 'flush', untilFailure: 4, meanwhile: [] },
      { kind: 'crash' },
    ],
    1,
    100,
  ],
  // A flush ends between two of its transactions, so the log also contains counts that it has already written.
  [
    [useOf(0), useOf(1), useOf(2), { kind: 'flush', untilFailure: 3, meanwhile: [] }, { kind: 'crash' }],
    3,
    100,
  ],
];

test('after any sequence of uses, saves, flushes, failures, crashes and hours, also during a flush, the counts are correct', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40, size: 'max' }),
      fc.integer({ min: 1, max: 7 }),
      fc.constantFrom(1, 3, 100),
      async (steps, good, perPass) => {
        await emptyTables(database);
        const world = newWorld();
        let subject = await startRecorder(database, world, good, perPass);
        const model = new Model();
        const use = (used: Use & { secret: number }) => {
          // Never two in the same millisecond, because it would be undefined which is the last.
          world.now += 1;
          secrets[used.secret]?.use(subject.cache, world.now, used);
          model.use(secrets[used.secret]?.keyId ?? '', world.now, used);
        };
        const run = async ({ kind, untilFailure, meanwhile }: Extract<Step, { kind: 'save' | 'flush' }>) => {
          const uses = [...meanwhile];
          world.meanwhile = async () => {
            for (const next of uses.splice(0, 2)) use(next);
            await model.assertHolds(subject);
          };
          world.untilFailure = untilFailure;
          const saved = model.save();
          await subject.recorder[kind]().then(saved, (error) =>
            assert.match(String(error), /the disk is full/),
          );
          Object.assign(world, newWorld(), { now: world.now });
        };
        for (const now of steps) {
          if (now.kind === 'use') use(now);
          else if (now.kind === 'time') world.now += now.minutes * 60_000;
          else if (now.kind === 'crash') {
            subject = await startRecorder(database, world, good, perPass);
            await model.recover(subject);
          } else await run(now);
          await model.assertHolds(subject);
        }
        // When everything is flushed, the database alone contains all uses.
        await subject.recorder.flush();
        assert.equal(subject.unwritten(), 0);
        await model.assertHolds(await startRecorder(database, world, good));
      },
    ),
    { numRuns: runCount(15, 1000), examples: foundBefore },
  );
});
