import { setImmediate as turn } from 'node:timers/promises';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { accountsChain } from '../events/events.ts';
import { firstIdAt } from '../ids.ts';
import { readSealedEvents, type SealedEvent } from '../outbox/sealed-events.ts';
import { addEvent, type GroupedNotice } from './notice.ts';
import { queueMails } from './queue.ts';

/** Events per read, which blocks the event loop for some ms with SQLite. */
const pageSize = 200;

/** ms. A round reads the chains with events that are at most this old. */
const recently = 30_000;

/** Events per statement of the search for these chains. */
const recentPageSize = 1000;

/** Workspaces per statement of a search for chains that recent rounds have missed. */
const workspacesPerPage = 200;

/**
 * Turns sealed audit events into emails. Each chain has a cursor, which moves in the transaction that queues the emails,
 * and only from the position that was read. So each event is handled once, whichever node is faster.
 */
export class MailCollector {
  readonly #db: Kysely<Tables>;
  readonly #now: () => number;

  /** @param now epoch ms */
  constructor(db: Kysely<Tables>, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  /** Handles the chains that have events of the last half minute. */
  async collectRecent(): Promise<void> {
    const chains = new Set<string>();
    for (let after: string | undefined = firstIdAt('evt_', this.#now() - recently); after !== undefined; ) {
      const { rows } = await recentChains(after).execute(this.#db);
      for (const { chain } of rows) chains.add(chain);
      const events = rows.reduce((sum, { count }) => sum + count, 0);
      const ends = rows.map(({ last }) => last).sort();
      after = events === recentPageSize ? ends.at(-1) : undefined;
      // SQLite returns within one turn of the event loop, so this and the other turns here let other work run.
      await turn();
    }
    for (const chain of chains) await this.#collect(chain);
  }

  /** Handles all chains: events that were sealed while no server ran, or long after they happened. */
  async collectAll(): Promise<void> {
    await this.#collect(accountsChain);
    for (let after = ''; ; ) {
      const rows = await this.#db
        .selectFrom('workspace')
        .select('id')
        .where('id', '>', after)
        .orderBy('id')
        .limit(workspacesPerPage)
        .execute();
      for (const { id } of rows) await this.#collect(id);
      after = rows.at(-1)?.id ?? '';
      if (rows.length < workspacesPerPage) return;
    }
  }

  async #collect(chain: string): Promise<void> {
    do await turn();
    while (await this.#collectPage(chain));
  }

  /** @returns whether there may be more events */
  async #collectPage(chain: string): Promise<boolean> {
    const cursor = await this.#db
      .selectFrom('mail_cursor')
      .select('sequence')
      .where('chain', '=', chain)
      .executeTakeFirst();
    const from = cursor?.sequence ?? 0;
    const groups = new Map<string, GroupedNotice>();
    let to = from;
    let page: SealedEvent[];
    do {
      page = await readSealedEvents(this.#db, chain, to, pageSize);
      for (const event of page) addEvent(groups, event);
      const last = page.at(-1);
      if (last === undefined) break;
      to = last.sequence;
      // The rest of the request is sealed soon, and a later round reads all of it.
      if (await this.#hasUnsealed(last)) return false;
      await turn();
    } while (await this.#continues(chain, to, page));
    if (to === from) return false;
    await this.#db.transaction().execute((db) => this.#write(db, chain, { from, to }, groups));
    return page.length === pageSize;
  }

  /** Whether events of the same request are not sealed yet. One transaction appends all of them. */
  async #hasUnsealed({ chain, actor }: SealedEvent): Promise<boolean> {
    if (actor.requestId === null) return false;
    const row = await this.#db
      .selectFrom('audit_event')
      .select('id')
      .where('sequence', 'is', null)
      .where('chain', '=', chain)
      .where('request_id', '=', actor.requestId)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Whether the request of the last event of a page has more events after it. Other events need not be read together. */
  async #continues(chain: string, to: number, page: readonly SealedEvent[]): Promise<boolean> {
    const requestId = page.at(-1)?.actor.requestId ?? null;
    if (requestId === null) return false;
    const next = await this.#db
      .selectFrom('audit_event')
      .select('request_id')
      .where('chain', '=', chain)
      .where('sequence', '=', to + 1)
      .executeTakeFirst();
    return next?.request_id === requestId;
  }

  async #write(
    db: Kysely<Tables>,
    chain: string,
    { from, to }: { from: number; to: number },
    groups: ReadonlyMap<string, GroupedNotice>,
  ): Promise<void> {
    if (!(await moveCursor(db, chain, from, to))) return;
    for (const grouped of groups.values()) await queueMails(db, grouped, this.#now());
  }
}

/**
 * The chains of the first events after an ID, with the last of these IDs. The limit is in a subquery, because SQLite
 * would otherwise read the whole index on the chains to find them without duplicates.
 */
export function recentChains(after: string): RawBuilder<{ chain: string; last: string; count: number }> {
  return sql`
    SELECT chain, max(id) AS last, count(*) AS count
    FROM (SELECT chain, id FROM audit_event WHERE id > ${after} ORDER BY id LIMIT ${sql.lit(recentPageSize)}) AS recent
    GROUP BY chain`;
}

/** @returns false if another node has moved it */
async function moveCursor(db: Kysely<Tables>, chain: string, from: number, to: number): Promise<boolean> {
  if (from === 0) {
    const { numInsertedOrUpdatedRows = 0n } = await db
      .insertInto('mail_cursor')
      .values({ chain, sequence: to })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows > 0n;
  }
  const { numUpdatedRows } = await db
    .updateTable('mail_cursor')
    .set({ sequence: to })
    .where('chain', '=', chain)
    .where('sequence', '=', from)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
