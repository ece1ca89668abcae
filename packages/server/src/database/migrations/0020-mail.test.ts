/** The events before the upgrade cause no emails, sealed or not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Migrator } from 'kysely';
import { testEvent } from '../../../../../test/support/audit-log.ts';
import { openEmptyDatabase } from '../../../../../test/support/empty-database.ts';
import { bothDatabases } from '../../../../../test/support/open-database.ts';
import { sealEvents } from '../../audit/sealer.ts';
import { appendEvents } from '../../events/events.ts';
import { migrations } from '../migrate.ts';

for (const which of bothDatabases) {
  test(`the cursor of each chain is at the end of its events, on ${which}`, async (t) => {
    const db = await openEmptyDatabase(which, t);
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
    assert.equal((await migrator.migrateTo('0019-webhooks')).error, undefined);
    await appendEvents(db, [testEvent(1), testEvent(2), testEvent(3, 'ws_2')]);
    await sealEvents(db);
    await appendEvents(db, [testEvent(4), testEvent(5, 'ws_3'), testEvent(6, 'ws_3')]);
    assert.equal((await migrator.migrateTo('0020-mail')).error, undefined);
    const cursors = await db.selectFrom('mail_cursor').selectAll().orderBy('chain').execute();
    assert.deepEqual(
      cursors.map(({ chain, sequence }) => [chain, Number(sequence)]),
      [
        ['ws_1', 3],
        ['ws_2', 1],
        ['ws_3', 2],
      ],
    );
  });
}
