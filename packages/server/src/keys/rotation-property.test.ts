/** Random sequences of rotations, retirements, uses and time, compared with rules that are stated over their history. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { insertNewKey, newKey } from '../../../../test/support/new-key.ts';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { propagationOf } from '../../../../test/support/propagation.ts';
import { runCount } from '../../../../test/support/run-count.ts';
import type { Database } from '../database/open.ts';
import { RequestError } from '../http/errors.ts';
import { newId } from '../ids.ts';
import { GraceStarts } from './grace-starts.ts';
import { LapsedSecrets } from './lapsed-secrets.ts';
import { writeRetirement, writeRotation } from './rotation-writes.ts';
import { KeyStore, type SecretRow } from './store.ts';

/** Epoch ms: in the past for the clock of the database. */
const start = 1_700_000_000_000;

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('rotate' as const),
      graceMs: fc.constantFrom(0, 10, 100, 1000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('rotateAtFirstUse' as const),
      graceMs: fc.constantFrom(10, 100, 1000),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('use' as const), back: fc.nat({ max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retire' as const), back: fc.nat({ max: 4 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 9, 50, 500) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lapse' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What happened to a key. Secrets are numbered in the order of their creation. */
interface History {
  /** `secret` is the new one. */
  rotations: { at: number; secret: number; graceMs: number; startsAtFirstUse: boolean }[];
  /** Accepted ones, in order. */
  uses: { at: number; secret: number }[];
  retirements: { at: number; secret: number }[];
}

/** The time from which a secret must be rejected: the earliest that any rule gives. Infinity: never. */
function endOf(secret: number, { rotations, uses, retirements }: History): number {
  const byRotation = rotations
    .filter((rotation) => rotation.secret > secret)
    .map(({ at, secret: newest, graceMs, startsAtFirstUse }) => {
      if (!startsAtFirstUse) return at + graceMs;
      const first = uses.find((use) => use.secret >= newest);
      return first === undefined ? Number.POSITIVE_INFINITY : first.at + graceMs;
    });
  const byCall = retirements.filter((one) => one.secret === secret).map(({ at }) => at);
  return Math.min(Number.POSITIVE_INFINITY, ...byRotation, ...byCall);
}

/** One key in the database, and its history. */
class World {
  readonly #database: Database;
  readonly #history: History = { rotations: [], uses: [], retirements: [] };
  readonly #ids: string[] = [];
  readonly #graceStarts: GraceStarts;
  #now = start;
  readonly #workspaceId: string;
  #keyId = '';

  constructor(database: Database, workspaceId: string) {
    this.#database = database;
    this.#workspaceId = workspaceId;
    this.#graceStarts = new GraceStarts(propagationOf(database));
  }

  async create(): Promise<void> {
    const key = newKey({ workspaceId: this.#workspaceId, createdAt: start });
    await insertNewKey(this.#database.kysely, key, { most: 1_000_000 });
    this.#keyId = key.id;
    this.#ids.push(key.secret.id);
  }

  async take(one: Step): Promise<void> {
    if (one.kind === 'wait') await this.#wait(one.ms);
    if (one.kind === 'rotate') await this.#rotate(one.graceMs, false);
    if (one.kind === 'rotateAtFirstUse') await this.#rotate(one.graceMs, true);
    if (one.kind === 'use') await this.#use(this.#ids.length - 1 - one.back);
    if (one.kind === 'retire') await this.#retire(this.#ids.length - 1 - one.back);
    if (one.kind === 'lapse')
      await new LapsedSecrets(propagationOf(this.#database), () => this.#now).retire();
  }

  /** Compares all secrets with the rules. */
  async check(): Promise<void> {
    await this.#graceStarts.write();
    for (const [secret, row] of (await this.#rows()).entries()) {
      const expected = endOf(secret, this.#history);
      assert.equal(endOfRow(row), expected, `the end of secret ${secret}`);
      if (row.retired_at !== null) assert.ok(expected <= this.#now, 'retired too early');
    }
    const { kysely } = this.#database;
    const rows = await this.#rows();
    const hashes = rows.map(({ hash }) => hash);
    const retired = await kysely.selectFrom('dead_hash').select('hash').where('hash', 'in', hashes).execute();
    assert.equal(retired.length, rows.filter((row) => row.retired_at !== null).length);
  }

  /** Uses are written before time passes; in a server, within 5 s. */
  async #wait(ms: number): Promise<void> {
    await this.#graceStarts.write();
    this.#now += ms;
  }

  async #rotate(graceMs: number, startsAtFirstUse: boolean): Promise<void> {
    // Accepted now, even if the start of a grace is not written yet.
    const rows = await this.#rows();
    const living = rows.filter((row) => endOfRow(row) > this.#now).length;
    const { secret } = newKey({ createdAt: this.#now });
    const rotation = {
      ...{
        workspaceId: this.#workspaceId,
        keyId: this.#keyId,
        callingKey: null,
        secret,
        graceMs,
        token: null,
      },
      ...{ startGrace: startsAtFirstUse ? ('firstUse' as const) : ('now' as const), now: this.#now },
    };
    const rotated = propagationOf(this.#database).commit(async (db) => {
      const { changed } = await writeRotation(db, rotation, 'off');
      return { value: undefined, changed };
    });
    if (graceMs > 0 && living >= 5) {
      await assert.rejects(
        rotated,
        (error) => error instanceof RequestError && error.problem.code === 'too_many_secrets',
      );
      return;
    }
    await rotated;
    this.#history.rotations.push({ at: this.#now, secret: this.#ids.length, graceMs, startsAtFirstUse });
    this.#ids.push(secret.id);
  }

  /** A verification that this node accepts. */
  async #use(secret: number): Promise<void> {
    const row = (await this.#rows())[secret];
    if (row === undefined || endOfRow(row) <= this.#now) return;
    this.#history.uses.push({ at: this.#now, secret });
    this.#graceStarts.add({
      keyId: this.#keyId,
      hash: Buffer.from(row.hash).toString('latin1'),
      at: this.#now,
    });
  }

  async #retire(secret: number): Promise<void> {
    const secretId = this.#ids[secret];
    if (secretId === undefined) return;
    const request = { workspaceId: this.#workspaceId, keyId: this.#keyId, secretId, now: this.#now };
    const retired = propagationOf(this.#database).commit(async (db) => {
      const { changed } = await writeRetirement(db, request);
      return { value: undefined, changed };
    });
    if (secret === this.#ids.length - 1) {
      await assert.rejects(
        retired,
        (error) => error instanceof RequestError && error.problem.code === 'newest_secret',
      );
      return;
    }
    await retired;
    this.#history.retirements.push({ at: this.#now, secret });
  }

  async #rows(): Promise<SecretRow[]> {
    const found = (await new KeyStore(this.#database.kysely).secretsOf([this.#keyId])).get(this.#keyId) ?? [];
    const rows = found.toReversed();
    assert.deepEqual(
      rows.map(({ id }) => id),
      this.#ids,
      'oldest first',
    );
    return rows;
  }
}

/** The time from which a verifier rejects a secret. */
function endOfRow({ retires_at, retired_at }: SecretRow): number {
  return retired_at ?? retires_at ?? Number.POSITIVE_INFINITY;
}

for (const which of ['sqlite', 'postgres'] as const) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());

  test(`each secret ends when its rotations say so, on ${which}`, async () => {
    const { database } = await opened;
    const workspaceId = newId('ws_', start);
    await database.kysely
      .insertInto('workspace')
      .values({ id: workspaceId, name: randomBytes(4).toString('hex'), created_at: 1 })
      .execute();
    const steps = fc.array(step, { minLength: 5, maxLength: 18 });
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const world = new World(database, workspaceId);
        await world.create();
        for (const one of sequence) {
          await world.take(one);
          if (one.kind === 'wait' || one.kind === 'lapse') await world.check();
        }
        await world.check();
      }),
      { numRuns: runCount(15, 2000) },
    );
  });
}
