import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { systemActor } from '../events/actor.ts';
import { appendEvents, type NewEvent } from '../events/events.ts';
import type { SecretCounts } from './pending-uses.ts';
import { readRejections } from './queries.ts';

/** The error code of a revoked key, and of a retired secret of a key. */
const code = 'revoked_key';

const hoursPerDay = 24;

/** Maximum number of keys that wait to be recorded. More are recorded when they are used again. */
const maxWaiting = 10_000;

/** Maximum number of keys in memory that were recorded today. Above that, the database decides more often. */
const maxRecorded = 100_000;

/** Number of keys per transaction, and of old rows that it deletes. */
const batchSize = 200;

/** A use of a revoked key, or of a retired secret of a key. */
interface EndedUse {
  /** Epoch days, UTC. */
  day: number;
  keyId: string;
  workspaceId: string;
  /** SHA-256 of the secret, as 32 latin-1 characters. */
  hash: string;
}

/**
 * Records that revoked keys and retired secrets are still in use: one audit event per key and day, whichever nodes
 * receive the requests, and however many there are. It looks only at usage that was written, so verification does nothing
 * more for this. After a crash, an event that is missing is written with the next use.
 */
export class EndedUses {
  readonly #db: Kysely<Tables>;
  readonly #now: () => number;
  readonly #waiting = new Map<string, EndedUse>();
  readonly #recorded = new Set<string>();
  /** The day of the recorded keys. */
  #day = 0;

  /** @param now epoch ms */
  constructor(db: Kysely<Tables>, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  /** Call it with counts that were written. */
  add(counts: readonly Readonly<SecretCounts>[]): void {
    for (const { keyId, workspaceId, hash, hour, refusedBy } of counts) {
      if ((refusedBy[code] ?? 0) === 0) continue;
      const day = Math.floor(hour / hoursPerDay);
      if (this.#recorded.has(nameOf(day, keyId)) || this.#waiting.size >= maxWaiting) continue;
      this.#waiting.set(nameOf(day, keyId), { day, keyId, workspaceId, hash });
    }
  }

  /** Writes the events. */
  async write(): Promise<void> {
    while (this.#waiting.size > 0) {
      // Every node inserts in the same order, so they do not deadlock.
      const uses = [...this.#waiting.values()].slice(0, batchSize).sort(compare);
      await this.#db.transaction().execute((db) => record(db, uses, this.#now()));
      for (const { day, keyId } of uses) {
        this.#waiting.delete(nameOf(day, keyId));
        this.#markRecorded(day, keyId);
      }
    }
  }

  #markRecorded(day: number, keyId: string): void {
    if (day > this.#day || this.#recorded.size >= maxRecorded) this.#recorded.clear();
    this.#day = Math.max(this.#day, day);
    this.#recorded.add(nameOf(day, keyId));
  }
}

function nameOf(day: number, keyId: string): string {
  return `${day} ${keyId}`;
}

function compare(a: EndedUse, b: EndedUse): number {
  if (a.day !== b.day) return a.day - b.day;
  return a.keyId < b.keyId ? -1 : 1;
}

async function record(db: Kysely<Tables>, uses: readonly EndedUse[], now: number): Promise<void> {
  const keys = await readKeys(db, uses);
  // A failover can lose what the old primary had committed.
  const known = uses.filter(({ hash }) => keys.has(hash));
  if (known.length === 0) return;
  const added = await db
    .insertInto('ended_use')
    .values(known.map(({ day, keyId }) => ({ day, key_id: keyId })))
    .onConflict((conflict) => conflict.doNothing())
    .returning(['day', 'key_id'])
    .execute();
  const names = new Set(added.map(({ day, key_id }) => nameOf(day, key_id)));
  const events: NewEvent[] = [];
  for (const use of known) {
    const key = keys.get(use.hash);
    if (key === undefined || !names.has(nameOf(use.day, use.keyId))) continue;
    events.push({
      chain: use.workspaceId,
      at: now,
      actor: systemActor,
      action: 'key.ended_secret_used',
      target: { kind: 'key', id: use.keyId, name: key.name },
      details: { code, requests: await countRequests(db, use), secretId: key.secretId },
    });
  }
  await appendEvents(db, events);
  await deleteOld(db, Math.min(...known.map(({ day }) => day)) - 1);
}

/** The names of the keys, and the ids of the secrets, by hash. */
async function readKeys(db: Kysely<Tables>, uses: readonly EndedUse[]) {
  const rows = await db
    .selectFrom('api_key_secret as s')
    .innerJoin('api_key as k', 'k.id', 's.key_id')
    .select(['s.hash', 's.id as secretId', 'k.name'])
    .where(
      's.hash',
      'in',
      uses.map(({ hash }) => Buffer.from(hash, 'latin1')),
    )
    .execute();
  return new Map(rows.map((row) => [Buffer.from(row.hash).toString('latin1'), row]));
}

/** The rejected requests of that day so far. */
async function countRequests(db: Kysely<Tables>, { day, keyId, workspaceId }: EndedUse): Promise<number> {
  const from = day * hoursPerDay;
  const rejections = await readRejections(db, workspaceId, [keyId], from, from + hoursPerDay);
  return rejections
    .filter((one) => one.code === code)
    .reduce((sum, { requests }) => sum + Number(requests), 0);
}

/** Deletes some rows of past days, which are no longer needed. @param before epoch days */
async function deleteOld(db: Kysely<Tables>, before: number): Promise<void> {
  const old = await db
    .selectFrom('ended_use')
    .select(['day', 'key_id'])
    .where('day', '<', before)
    // Every node deletes in the same order, too.
    .orderBy('day')
    .orderBy('key_id')
    .limit(batchSize)
    .execute();
  for (const { day, key_id } of old) {
    await db.deleteFrom('ended_use').where('day', '=', day).where('key_id', '=', key_id).execute();
  }
}
