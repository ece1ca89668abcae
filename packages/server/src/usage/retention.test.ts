import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { bothDatabases, openTestDatabase } from '../../../../test/support/open-database.ts';
import { insertSecrets } from '../../../../test/support/stored-secrets.ts';
import { SecretCache } from '../verification/secret-cache.ts';
import { hourStart } from './hours.ts';
import { recordUsage } from './usage.ts';

const retentionDays = 400;

for (const which of bothDatabases) {
  test(`after the start, only usage that can still be read is kept (${which})`, async () => {
    const { database, close } = await openTestDatabase(which);
    after(close);
    const [secret] = await insertSecrets(database, 1, 1);
    assert.ok(secret !== undefined);
    const { keyId, hash } = secret;
    const now = 600_000;
    const oldest = now + 1 - retentionDays * 24;
    const counts = {
      key_id: keyId,
      hash: Buffer.from(hash, 'latin1'),
      accepted: 1,
      refused: 0,
      last_at: null,
    };
    await database.kysely
      .insertInto('usage_hour')
      .values([oldest - 2, oldest - 1, oldest, now].map((hour) => ({ hour, ...counts })))
      .execute();
    const oldestDay = Math.floor(oldest / 24);
    for (const day of [oldestDay - 1, oldestDay]) {
      const row = { day, owner: keyId };
      await database.kysely
        .insertInto('usage_day')
        .values({ ...row, hash: counts.hash, outcome: 'accepted' })
        .execute();
      await database.kysely
        .insertInto('usage_client')
        .values({ ...row, clients: '' })
        .execute();
    }
    const waiting: (() => void)[] = [];
    const usage = recordUsage({
      database,
      source: new SecretCache({ valid: 1, rejected: 1 }),
      log: pino({ level: 'silent' }),
      retentionDays,
      now: () => hourStart(now + 1) - 1,
      schedule: (work, ms) => {
        if (ms === 0) waiting.push(work);
        return () => undefined;
      },
    });
    usage.start();
    for (const work of waiting) work();
    // Waits for the work that has begun.
    await usage.stop();
    const rows = await database.kysely.selectFrom('usage_hour').select('hour').orderBy('hour').execute();
    assert.deepEqual(
      rows.map(({ hour }) => hour),
      [oldest, now],
    );
    for (const table of ['usage_day', 'usage_client'] as const) {
      const days = await database.kysely.selectFrom(table).select('day').execute();
      assert.deepEqual(
        days.map(({ day }) => day),
        [oldestDay],
        table,
      );
    }
  });
}
