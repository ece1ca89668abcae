import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import type { DeadHashFile, Look } from './file.ts';

/** Hashes that one statement names, and that one reads. */
const slice = 1000;
const readSlice = 10_000;

/**
 * - older: the database lacks hashes that the journal has
 * - newer: the journal lacks hashes that the database has
 */
type Comparison = 'same' | 'older' | 'newer';

/** What was alive in the database although the journal has it. */
export interface Killed {
  hashes: number;
  keys: number;
}

/**
 * Compares journal and database by their numbers of hashes and by the last lines of the journal, without reading
 * either of them in full.
 *
 * It is enough, because a database that was put back is one that was there before. A line is written after its commit
 * and in the order of the commits (but for those that were on their way together, of which there are fewer than the
 * lines that are looked at). So a database that has the last lines has those before them, and one that lacks any
 * lacks the last one.
 *
 * @param look taken before this call: a line that comes later has its hash in the database already
 */
export async function compare(db: Kysely<Tables>, { lines, tail }: Look): Promise<Comparison> {
  const row = await db
    .selectFrom('dead_hash')
    .select((eb) => eb.fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  const dead = Number(row.count);
  if (dead < lines || (await missingIn(db, tail)).length > 0) return 'older';
  return dead > lines ? 'newer' : 'same';
}

/**
 * Kills what the journal has and the database lacks.
 *
 * @param now epoch ms
 */
export async function killMissing(
  db: Kysely<Tables>,
  journal: ReadonlySet<string>,
  now: number,
): Promise<Killed> {
  const killed = { hashes: 0, keys: 0 };
  for (const hashes of slices(journal)) {
    const missing = await missingIn(db, hashes);
    if (missing.length === 0) continue;
    killed.hashes += missing.length;
    killed.keys += await kill(db, missing.map(bytes), now);
  }
  return killed;
}

/** Writes what the database has and the journal lacks. @returns how many hashes */
export async function addMissing(db: Kysely<Tables>, journal: DeadHashFile): Promise<number> {
  const known = await journal.all();
  let added = 0;
  let after: Uint8Array = new Uint8Array();
  for (;;) {
    const rows = await db
      .selectFrom('dead_hash')
      .select('hash')
      .where('hash', '>', after)
      .orderBy('hash')
      .limit(readSlice)
      .execute();
    const last = rows.at(-1);
    if (last === undefined) return added;
    after = last.hash;
    const missing = rows.map((row) => digits(row.hash)).filter((hash) => !known.has(hash));
    await journal.add(missing);
    added += missing.length;
  }
}

/** Those of the hashes that are dead in the database. */
export async function deadAmong(
  db: Kysely<Tables>,
  hashes: readonly Uint8Array[],
): Promise<readonly Uint8Array[]> {
  if (hashes.length === 0) return [];
  const rows = await db.selectFrom('dead_hash').select('hash').where('hash', 'in', hashes).execute();
  return rows.map((row) => row.hash);
}

async function missingIn(db: Kysely<Tables>, hashes: readonly string[]): Promise<string[]> {
  const dead = new Set((await deadAmong(db, hashes.map(bytes))).map(digits));
  return hashes.filter((hash) => !dead.has(hash));
}

/**
 * A key is revoked when all its secrets are dead. The hash alone already keeps it from being accepted; without this
 * the list would show it as active.
 */
async function kill(db: Kysely<Tables>, hashes: Uint8Array[], now: number): Promise<number> {
  return db.transaction().execute(async (transaction) => {
    await transaction
      .insertInto('dead_hash')
      .values(hashes.map((hash) => ({ hash })))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const { numUpdatedRows } = await transaction
      .updateTable('api_key')
      .set({ revoked_at: now, revoked_by: 'journal' })
      .where('revoked_at', 'is', null)
      .where('id', 'in', (eb) => eb.selectFrom('api_key_secret').select('key_id').where('hash', 'in', hashes))
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('api_key_secret')
              .select('hash')
              .whereRef('key_id', '=', 'api_key.id')
              .where('hash', 'not in', eb.selectFrom('dead_hash').select('hash')),
          ),
        ),
      )
      .executeTakeFirst();
    return Number(numUpdatedRows);
  });
}

function* slices(hashes: Iterable<string>): Generator<string[]> {
  let some: string[] = [];
  for (const hash of hashes) {
    some.push(hash);
    if (some.length < slice) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}

function bytes(hash: string): Uint8Array {
  return Buffer.from(hash, 'hex');
}

/** As the journal has it. */
export function digits(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex');
}
