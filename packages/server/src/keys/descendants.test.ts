/** Which rows a revoke with descendants reads. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sql } from 'kysely';
import { bothDatabases, openTestDatabase } from '../../../../test/support/open-database.ts';
import { RequestError } from '../http/errors.ts';
import { planRevoke, revocableKeysQuery } from './descendants.ts';

/** The maximum number of descendants in one revoke. */
const max = 10_000;

for (const which of bothDatabases) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());

  test(`a revoke reads at most one descendant more than it may revoke, on ${which}`, async () => {
    const { database } = await opened;
    const db = database.kysely;
    /** Creates keys of `creator`, revoked at `revoked` unless that is null. */
    const create = (creator: string, count: number, revoked: number | null) =>
      sql`
      INSERT INTO api_key (id, workspace_id, created_by, name, name_folded, scopes, created_at, revoked_at)
      WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${sql.lit(count)})
      SELECT ${sql.lit(`${creator}_`)} || n, 'ws', ${sql.lit(creator)}, 'x', 'x', '', 1, ${sql.lit(revoked)}
      FROM numbers`.execute(db);
    const read = (id: string) => revocableKeysQuery(db, id, 'ws').execute();
    await db.insertInto('workspace').values({ id: 'ws', name: 'x', created_at: 1 }).execute();

    await create('person', 2, null);
    await create('person_1', max + 2, 2);
    assert.equal((await read('person_1')).length, 1, 'keys that are already revoked do not count');
    await create('person_1_1', 3, null);
    assert.equal((await read('person_1')).length, 4, 'keys that those created do count');

    await create('person_2', max, null);
    assert.equal(planRevoke(await read('person_2')).revoke.length, max + 1);
    await create('person_2_1', 5, null);
    const family = await read('person_2');
    assert.equal(family.length, max + 2);
    assert.throws(
      () => planRevoke(family),
      (error) => error instanceof RequestError && error.problem.code === 'too_many_descendants',
    );
    assert.deepEqual(planRevoke(await read('missing')), { revoke: [], journalKeyIds: [] });
  });

  test(`a repeated revoke finds the keys that were revoked with the key or later, on ${which}`, async () => {
    const { database } = await opened;
    const db = database.kysely;
    const insert = (id: string, creator: string, revokedAt: number | null) =>
      sql`INSERT INTO api_key (id, workspace_id, created_by, name, name_folded, scopes, created_at, revoked_at)
        VALUES (${sql.lit(id)}, 'ws', ${sql.lit(creator)}, 'x', 'x', '', 1, ${sql.lit(revokedAt)})`.execute(
        db,
      );
    await insert('root', 'person', 5);
    await insert('before', 'root', 4);
    await insert('with', 'before', 5);
    await insert('later', 'root', 6);
    await insert('not', 'with', null);
    const plan = planRevoke(await revocableKeysQuery(db, 'root', 'ws').execute());
    assert.deepEqual(plan.revoke, [{ id: 'not', name: 'x' }]);
    assert.deepEqual(plan.journalKeyIds.toSorted(), ['later', 'not', 'root', 'with']);
  });
}
