import { z } from 'zod';
import type { PostgresDatabase } from '../database/postgres.ts';
import type { SqliteDatabase } from '../database/sqlite.ts';
import { addClients, formatClients, parseClients } from './client-counts.ts';
import type { ClientDay, ClientStore } from './client-days.ts';

/** Maximum duration of a transaction in ms, as in store.ts. */
const maxWriteMs = 1;

const rowSchema = z.object({ clients: z.string() });

function sumOf(stored: string, { clients }: ClientDay): string {
  const sum = parseClients(stored);
  addClients(sum, clients);
  return formatClients(sum);
}

export function sqliteClients(database: SqliteDatabase): ClientStore {
  return {
    addClients: (batch) =>
      database.transact(
        (connection) => {
          const begun = performance.now();
          const find = connection.prepare('SELECT clients FROM usage_client WHERE day = ? AND owner = ?');
          const put = connection.prepare(`
            INSERT INTO usage_client (day, owner, clients) VALUES (?, ?, ?)
            ON CONFLICT (day, owner) DO UPDATE SET clients = excluded.clients`);
          let count = 0;
          for (const one of batch) {
            if (count > 0 && performance.now() - begun > maxWriteMs) break;
            const stored = rowSchema.safeParse(find.get(one.day, one.owner));
            put.run(one.day, one.owner, sumOf(stored.data?.clients ?? '', one));
            count += 1;
          }
          return count;
        },
        () => undefined,
        { lockTimeoutMs: 0, durable: false },
      ),
  };
}

/** All nodes add to the same rows. Each locks them in the same order, so they wait for each other without a deadlock. */
export function postgresClients({ kysely }: PostgresDatabase): ClientStore {
  return {
    addClients: async (batch) => {
      const sorted = batch.toSorted((a, b) => a.day - b.day || (a.owner < b.owner ? -1 : 1));
      await kysely.transaction().execute(async (db) => {
        // A row must exist to be locked.
        await db
          .insertInto('usage_client')
          .values(sorted.map(({ day, owner }) => ({ day, owner, clients: '' })))
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        const rows = await db
          .selectFrom('usage_client')
          .selectAll()
          .where(({ eb, refTuple, tuple }) =>
            eb(
              refTuple('day', 'owner'),
              'in',
              sorted.map(({ day, owner }) => tuple(day, owner)),
            ),
          )
          .orderBy('day')
          .orderBy('owner')
          .forUpdate()
          .execute();
        const stored = new Map(rows.map(({ day, owner, clients }) => [`${day} ${owner}`, clients]));
        await db
          .insertInto('usage_client')
          .values(
            sorted.map((one) => ({
              day: one.day,
              owner: one.owner,
              clients: sumOf(stored.get(`${one.day} ${one.owner}`) ?? '', one),
            })),
          )
          .onConflict((conflict) =>
            conflict.columns(['day', 'owner']).doUpdateSet((eb) => ({ clients: eb.ref('excluded.clients') })),
          )
          .execute();
      });
      return batch.length;
    },
  };
}
