import { setImmediate } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { systemActor } from '../events/actor.ts';
import { appendEvents } from '../events/events.ts';
import type { Inspection } from './file.ts';

/** Number of hashes per statement that writes or reads. Verification waits a few ms for each statement. */
const writeBatchSize = 1000;
const readBatchSize = 2000;

/** Counts of hashes and keys that were valid in the database, but revoked in the journal, and are now revoked again. */
export interface ReapplyResult {
  hashes: number;
  keys: number;
}

/**
 * Whether the database seems to lack hashes that the journal has. It compares the counts and the last records of the
 * journal and reads neither in full, so a start detects nearly every older database before it verifies anything.
 *
 * It can miss a hash whose record was appended late, after records of later revocations. `compareHashes` finds these.
 *
 * @param inspection taken before this call, so that the database already has the hash of any later record
 */
export async function seemsOutdated(
  db: Kysely<Tables>,
  { count, tail }: Pick<Inspection, 'count' | 'tail'>,
): Promise<boolean> {
  const row = await db
    .selectFrom('dead_hash')
    .select((eb) => eb.fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  return Number(row.count) < count || (await missingIn(db, tail)).length > 0;
}

/**
 * Revokes what the journal has and the database lacks.
 *
 * @param journal all hashes, or those that may be missing in the database
 * @param now epoch ms
 * @param evict called with hashes as soon as they are revoked
 */
export async function revokeMissing(
  db: Kysely<Tables>,
  journal: ReadonlySet<string>,
  now: number,
  evict: (hashes: Uint8Array[]) => void = () => undefined,
): Promise<ReapplyResult> {
  const reapplied = { hashes: 0, keys: 0 };
  for (const hashes of hashBatches(journal)) {
    await setImmediate();
    const missing = await missingIn(db, hashes);
    if (missing.length === 0) continue;
    const revoked = missing.map(bytes);
    reapplied.hashes += revoked.length;
    reapplied.keys += await revoke(db, revoked, now);
    evict(revoked);
  }
  return reapplied;
}

/**
 * Compares every hash, one batch at a time, so that verification continues in between.
 *
 * @param journal all hashes, read before this call; this function removes those that the database has
 * @returns the hashes that only one of the two has
 */
export async function compareHashes(
  db: Kysely<Tables>,
  journal: Set<string>,
  signal?: AbortSignal,
): Promise<{ onlyInJournal: Set<string>; onlyInDatabase: string[] }> {
  const onlyInDatabase: string[] = [];
  let after: Uint8Array = new Uint8Array();
  for (;;) {
    const rows = await db
      .selectFrom('dead_hash')
      .select('hash')
      .where('hash', '>', after)
      .orderBy('hash')
      .limit(readBatchSize)
      .execute();
    const last = rows.at(-1);
    if (last === undefined) return { onlyInJournal: journal, onlyInDatabase };
    after = last.hash;
    for (const hash of rows.map((row) => toHex(row.hash))) {
      if (!journal.delete(hash)) onlyInDatabase.push(hash);
    }
    // SQLite returns within one turn of the event loop, so this lets other work run.
    await setImmediate(undefined, { signal });
  }
}

/** @returns the hashes that are revoked in the database */
export async function filterRevoked(
  db: Kysely<Tables>,
  hashes: readonly Uint8Array[],
): Promise<readonly Uint8Array[]> {
  if (hashes.length === 0) return [];
  const rows = await db.selectFrom('dead_hash').select('hash').where('hash', 'in', hashes).execute();
  return rows.map((row) => row.hash);
}

async function missingIn(db: Kysely<Tables>, hashes: readonly string[]): Promise<string[]> {
  const revoked = new Set((await filterRevoked(db, hashes.map(bytes))).map(toHex));
  return hashes.filter((hash) => !revoked.has(hash));
}

/**
 * Revokes hashes, and each key whose secrets are all revoked. The hashes alone prevent the key from being accepted, but
 * lists would still show it as active. If a key has other secrets, its revoked ones are shown as retired.
 */
async function revoke(db: Kysely<Tables>, hashes: Uint8Array[], now: number): Promise<number> {
  return db.transaction().execute(async (transaction) => {
    await transaction
      .insertInto('dead_hash')
      .values(hashes.map((hash) => ({ hash })))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const revoked = await transaction
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
      .returning(['id', 'name', 'workspace_id'])
      .execute();
    await transaction
      .updateTable('api_key_secret')
      .set({ retired_at: now })
      .where('hash', 'in', hashes)
      .where('retired_at', 'is', null)
      .where(({ exists, selectFrom }) =>
        exists(
          selectFrom('api_key')
            .select('id')
            .whereRef('id', '=', 'api_key_secret.key_id')
            .where('revoked_at', 'is', null),
        ),
      )
      .execute();
    await appendEvents(
      transaction,
      revoked.map(({ id, name, workspace_id }) => ({
        chain: workspace_id,
        at: now,
        actor: systemActor,
        action: 'key.revoked',
        target: { kind: 'key', id, name },
        details: { reason: 'journal' },
      })),
    );
    return revoked.length;
  });
}

/** Splits hashes into batches for one statement each. */
export function* hashBatches(hashes: Iterable<string>): Generator<string[]> {
  let batch: string[] = [];
  for (const hash of hashes) {
    batch.push(hash);
    if (batch.length < writeBatchSize) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function bytes(hash: string): Uint8Array {
  return Buffer.from(hash, 'hex');
}

/** A hash as 64 hexadecimal digits. */
export function toHex(hash: Uint8Array): string {
  return Buffer.from(hash).toString('hex');
}
