import { z } from 'zod';
import type { PostgresDatabase } from '../database/postgres.ts';
import type { SqliteDatabase } from '../database/sqlite.ts';
import { addClients, formatClients, limitClients, parseClients } from './client-counts.ts';
import type { ClientDay } from './client-days.ts';
import type { ClientStore } from './client-writer.ts';
import { maxWriteMs } from './store.ts';

const rowSchema = z.object({ clients: z.string() });

function sumOf(stored: string, { clients }: ClientDay): string {
  const sum = parseClients(stored);
  addClients(sum, clients);
  limitClients(sum);
  return formatClients(sum);
}

export function sqliteClients(database: SqliteDatabase): ClientStore {
  return {
    addClients: async (batch, committed) => {
      await database.transact(
        (connection) => {
          const find = connection.prepare('SELECT clients FROM usage_client WHERE day = ? AND owner = ?');
          const put = connection.prepare(`
            INSERT INTO usage_client (day, owner, clients) VALUES (?, ?, ?)
            ON CONFLICT (day, owner) DO UPDATE SET clients = excluded.clients`);
          return whileTime(batch, (one) => {
            const stored = rowSchema.safeParse(find.get(one.day, one.owner));
            put.run(one.day, one.owner, sumOf(stored.data?.clients ?? '', one));
          }).length;
        },
        committed,
        { lockTimeoutMs: 0, durable: false },
      );
    },
  };
}

/**
 * All nodes add to the same rows. Each locks them in the same order, so they wait for each other without a deadlock. A
 * read during a commit may contain its rows twice or not at all.
 */
export function postgresClients({ kysely }: PostgresDatabase): ClientStore {
  return {
    addClients: async (batch, committed) => {
      const count = await kysely.transaction().execute(async (db) => {
        // A row must exist to be locked.
        await db
          .insertInto('usage_client')
          .values(batch.map(({ day, owner }) => ({ day, owner, clients: '' })))
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        const rows = await db
          .selectFrom('usage_client')
          .selectAll()
          .where(({ eb, refTuple, tuple }) =>
            eb(
              refTuple('day', 'owner'),
              'in',
              batch.map(({ day, owner }) => tuple(day, owner)),
            ),
          )
          .orderBy('day')
          .orderBy('owner')
          .forUpdate()
          .execute();
        const stored = new Map(rows.map(({ day, owner, clients }) => [`${day} ${owner}`, clients]));
        const sums = whileTime(batch, (one) => ({
          day: one.day,
          owner: one.owner,
          clients: sumOf(stored.get(`${one.day} ${one.owner}`) ?? '', one),
        }));
        await db
          .insertInto('usage_client')
          .values(sums)
          .onConflict((conflict) =>
            conflict.columns(['day', 'owner']).doUpdateSet((eb) => ({ clients: eb.ref('excluded.clients') })),
          )
          .execute();
        return sums.length;
      });
      committed(count);
    },
  };
}

/** Applies a function to the first, and then to as many as fit into the time. */
function whileTime<T, R>(all: readonly T[], work: (one: T) => R): R[] {
  const begun = performance.now();
  const results: R[] = [];
  for (const one of all) {
    // With PostgreSQL, other nodes meanwhile wait for the locked rows.
    if (results.length > 0 && performance.now() - begun > maxWriteMs) break;
    results.push(work(one));
  }
  return results;
}
