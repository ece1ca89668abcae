import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { msPerDay } from '@soku/contract/instant';
import { pino } from 'pino';
import { openAuditLog, readSealedRows, start, testEvent } from '../../../../test/support/audit-log.ts';
import { appendEvents } from '../events/events.ts';
import { createAudit } from './audit.ts';
import { sealEvents } from './sealer.ts';

for (const which of ['sqlite', 'postgres'] as const) {
  const { emptied, close } = openAuditLog(which);
  after(close);

  test(`events are kept for the number of days in the configuration, on ${which}`, async () => {
    const kysely = await emptied();
    await appendEvents(
      kysely,
      Array.from({ length: 4 }, (_, ms) => testEvent(ms)),
    );
    await sealEvents(kysely);
    const waiting = new Map<number, () => void>();
    const audit = createAudit({
      database: { kysely },
      retentionDays: 10,
      log: pino({ level: 'silent' }),
      now: () => start + 10 * msPerDay + 2,
      schedule: (work, delay) => {
        waiting.set(delay, work);
        return () => waiting.delete(delay);
      },
    });
    audit.start();
    // Events are sealed more often than they are deleted.
    waiting.get(Math.max(...waiting.keys()))?.();
    // Waits for the work that has begun.
    await audit.stop();
    const [first] = await readSealedRows(kysely);
    assert.equal(first?.at, start + 2);
  });
}
