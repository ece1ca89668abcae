/** A flush that the previous version did not finish resumes where it stopped. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Migrator, sql } from 'kysely';
import { openEmptyDatabase } from '../../../../../test/support/empty-database.ts';
import { migrations } from '../migrate.ts';

test('the progress of a flush of all keys is kept', async (t) => {
  const db = await openEmptyDatabase('sqlite', t);
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  assert.equal((await migrator.migrateTo('0015-previews')).error, undefined);
  await sql`INSERT INTO usage_flush VALUES (1, 7, 500000, 'key_2', x'0a')`.execute(db);
  assert.equal((await migrator.migrateTo('0016-usage-passes')).error, undefined);
  const { rows } = await sql`SELECT * FROM usage_flush`.execute(db);
  assert.deepEqual(structuredClone(rows), [
    {
      ...{ log_id: 7, after_key: '', until_key: '\uffff', hour: 500_000, key_id: 'key_2' },
      hash: new Uint8Array([10]),
    },
  ]);
});
