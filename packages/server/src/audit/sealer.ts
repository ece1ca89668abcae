import { setImmediate } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { isPostgres, tryAdvisoryLock } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { type EventRow, firstPreviousHash, sealHash, toAuditEvent } from './chain.ts';

/** Events per transaction. On SQLite, hashing them blocks verification for some ms. */
const batchSize = 100;

interface ChainPosition {
  sequence: number;
  hash: string;
}

/**
 * Appends each unsealed event to the chain of its workspace. Commands do not do this themselves: they would have to
 * lock the end of the chain, and a node that freezes in the middle of a command would block every revoke in its
 * workspace. The sealer takes no lock that a command waits for. Only one node seals at a time. When it stops, another
 * one takes over.
 */
export async function sealEvents(kysely: Kysely<Tables>): Promise<void> {
  while (await hasUnsealed(kysely)) {
    if ((await kysely.transaction().execute(sealBatch)) < batchSize) return;
    // SQLite returns within one turn of the event loop, so this lets other work run.
    await setImmediate();
  }
}

/** Checked outside a transaction, because there is usually nothing to do. */
async function hasUnsealed(db: Kysely<Tables>): Promise<boolean> {
  const row = await db
    .selectFrom('audit_event')
    .select('id')
    .where('sequence', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** @returns the number of sealed events: 0 if there is nothing to seal, or another node is sealing */
async function sealBatch(db: Kysely<Tables>): Promise<number> {
  if (!(await tryAdvisoryLock(db, 'sealer'))) return 0;
  const rows = await db
    .selectFrom('audit_event')
    .selectAll()
    .where('sequence', 'is', null)
    .orderBy('id')
    .limit(batchSize)
    .execute();
  const ends = new Map<string, ChainPosition>();
  const seals = [];
  for (const row of rows) {
    const end = ends.get(row.chain) ?? (await endOf(db, row.chain));
    const seal = sealAfter(end, row);
    ends.set(row.chain, seal);
    seals.push(seal);
  }
  if (seals.length > 0) await writeSeals(db, JSON.stringify(seals));
  return seals.length;
}

/**
 * The last sealed event of a chain, which retention never deletes. If its hash was removed in the database, the chain
 * continues anyway: `audit verify` reports the event, and the events after it are still protected.
 */
async function endOf(db: Kysely<Tables>, chain: string): Promise<ChainPosition> {
  const row = await db
    .selectFrom('audit_event')
    .select(['sequence', 'hash'])
    .where('chain', '=', chain)
    .where('sequence', 'is not', null)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  return { sequence: row?.sequence ?? 0, hash: row?.hash ?? firstPreviousHash };
}

function sealAfter(end: ChainPosition, row: EventRow) {
  const sequence = end.sequence + 1;
  const hash = sealHash(end.hash, toAuditEvent({ ...row, sequence }));
  return { id: row.id, sequence, previous: end.hash, hash };
}

async function writeSeals(db: Kysely<Tables>, seals: string): Promise<void> {
  const statement = isPostgres(db)
    ? sql`UPDATE audit_event SET sequence = s.sequence, previous_hash = s.previous, hash = s.hash
        FROM json_to_recordset(${seals}::json) AS s(id text, sequence bigint, previous text, hash text)
        WHERE audit_event.id = s.id AND audit_event.sequence IS NULL`
    : sql`UPDATE audit_event SET sequence = s.value ->> 'sequence', previous_hash = s.value ->> 'previous',
          hash = s.value ->> 'hash'
        FROM json_each(${seals}) AS s WHERE audit_event.id = s.value ->> 'id' AND audit_event.sequence IS NULL`;
  await statement.execute(db);
}
