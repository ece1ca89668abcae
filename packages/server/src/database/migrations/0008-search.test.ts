import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import { databases, openTestDatabase } from '../../../../../test/support/open-database.ts';
import { newId } from '../../ids.ts';
import { KeyListReader } from '../../keys/list-reader.ts';
import { readSearch } from '../../keys/search-text.ts';
import { search } from './0008-search.ts';

/** The previous folding of names. */
const foldBefore = (name: string) => name.normalize('NFKC').toLowerCase();

/** More rows than two statements of the migration. */
const keys = Array.from({ length: 1100 }, (_, at) => ({
  id: newId('key_', 1_700_000_000_000 + at),
  name: at % 2 === 0 ? `Straße ${at}` : `plain ${at}`,
}));

for (const which of databases) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());

  test(`keys of the previous schema are found by the new rules, on ${which}`, async () => {
    const { database } = await opened;
    const db = database.kysely;
    const count = async (from: string) =>
      Number((await sql<{ n: number }>`SELECT count(*) AS n FROM ${sql.table(from)}`.execute(db)).rows[0]?.n);
    await db.insertInto('workspace').values({ id: 'ws_a', name: 'x', created_at: 1 }).execute();
    for (let at = 0; at < keys.length; at += 100) {
      const some = keys.slice(at, at + 100);
      await db
        .insertInto('api_key')
        .values(
          some.map(({ id, name }) => ({
            ...{ id, name, workspace_id: 'ws_a', created_by: 'usr_1', name_folded: foldBefore(name) },
            ...{ scopes: '', created_at: 1, rate_limit: null, expires_at: null },
            ...{ revoked_at: null, revoked_by: null },
          })),
        )
        .execute();
      const parts = { prefix: 'sk_live_', preview_start: '2bA', preview_end: 'iXy', created_at: 1 };
      const hash = () => randomBytes(32);
      await db
        .insertInto('api_key_secret')
        .values(some.map(({ id }) => ({ ...parts, key_id: id, hash: hash() })))
        .execute();
    }
    for (const name of ['api_key_secret_preview_start', 'api_key_secret_preview_end']) {
      await sql`DROP INDEX ${sql.table(name)}`.execute(db);
    }
    const changes = database.kind === 'postgres' ? await count('key_change') : 0;

    await db.transaction().execute((transaction) => search.up(transaction));

    const reader = new KeyListReader(db);
    const found = async (text: string) =>
      (await reader.count('ws_a', { status: 'all', search: readSearch(text), now: 2 })).all;
    assert.equal(await found('STRASSE'), keys.length / 2);
    assert.equal(await found('PLAIN'), keys.length / 2);
    assert.equal(await found('2ba'), keys.length);
    if (database.kind === 'sqlite') return;
    assert.equal(await count('key_change'), changes, 'no change is published');
    const trigger = await database.pool.query(
      "SELECT tgenabled FROM pg_trigger WHERE tgname = 'api_key_published'",
    );
    assert.deepEqual(trigger.rows, [{ tgenabled: 'A' }], 'later changes are published');
  });
}
