import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openAuditLog, testEvent } from '../../../../test/support/audit-log.ts';
import { appendEvents } from '../events/events.ts';
import { exportChains } from './export.ts';

for (const which of ['sqlite', 'postgres'] as const) {
  const { emptied, close } = openAuditLog(which);
  after(close);

  test(`an export lets other work run after each batch, on ${which}`, async () => {
    const db = await emptied();
    await appendEvents(
      db,
      Array.from({ length: 350 }, (_, i) => testEvent(i)),
    );
    let turns = 0;
    const timer = { immediate: setImmediate(countTurn) };
    function countTurn(): void {
      turns += 1;
      timer.immediate = setImmediate(countTurn);
    }
    const batches: { lines: number; turns: number }[] = [];
    for await (const lines of exportChains(db, undefined)) {
      batches.push({ lines: lines.length, turns });
      turns = 0;
    }
    clearImmediate(timer.immediate);
    assert.deepEqual(
      batches.map(({ lines }) => lines),
      [100, 100, 100, 50],
    );
    for (const batch of batches.slice(1)) assert.ok(batch.turns > 0, 'another callback ran before it');
  });
}
