/** What someone with write access to the database can hide from the chain alone, and how it is detected. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  emptyAnchor,
  exportAll,
  openAuditLog,
  readSealedRows,
  start,
  testEvent,
} from '../../../../test/support/audit-log.ts';
import { systemActor } from '../events/actor.ts';
import { appendEvent, appendEvents } from '../events/events.ts';
import { sealEvents } from './sealer.ts';
import { verifyChains } from './verify.ts';

for (const which of ['sqlite', 'postgres'] as const) {
  const { emptied, close } = openAuditLog(which);
  after(close);

  test(`a deletion with a forged record is found with an export, on ${which}`, async () => {
    const db = await emptied();
    await appendEvents(
      db,
      Array.from({ length: 105 }, (_, i) => testEvent(i)),
    );
    await sealEvents(db);
    const anchor = await exportAll(db);
    const hash = (await readSealedRows(db))[103]?.hash ?? '';
    await db.deleteFrom('audit_event').where('sequence', '<=', 104).execute();
    const forge = (at: number, details: { through: number; hash: string }) =>
      appendEvent(db, {
        chain: 'ws_1',
        at,
        actor: systemActor,
        action: 'audit.pruned',
        target: { kind: 'audit', id: 'ws_1', name: 'ws_1' },
        details,
      });
    await forge(start + 5000, { through: 104, hash });
    const verify = async (now: number, from = anchor) =>
      verifyChains(db, { anchor: from, retention: 5000, now });
    const young = await verify(start + 5000 + 102);
    assert.deepEqual(
      young.breaks.map(({ sequence, problem }) => [sequence, problem]),
      [[104, 'it was deleted before its retention period ended']],
    );
    assert.deepEqual(
      young.pruned.map(({ through, at }) => [through, at]),
      [[104, start + 5000]],
    );
    assert.deepEqual(
      (await verify(start + 5000 + 105)).breaks,
      [],
      'the retention may have deleted all of them',
    );
    assert.deepEqual(
      (await verify(start + 5000, emptyAnchor)).breaks,
      [],
      'without an export it looks the same',
    );
    await forge(start + 5001, { through: 104, hash: 'f'.repeat(64) });
    assert.match((await verify(start + 50_000)).breaks[0]?.problem ?? '', /records a different hash/);
  });

  test(`events that no server seals, or that have an older date, are reported, on ${which}`, async () => {
    const db = await emptied();
    await appendEvents(db, [testEvent(0), testEvent(10 * 60_000)]);
    await sealEvents(db);
    await appendEvents(db, [testEvent(1), testEvent(10 * 60_000 + 1)]);
    const at = (now: number) => verifyChains(db, { anchor: emptyAnchor, retention: 1e12, now: start + now });
    assert.deepEqual([(await at(30_000)).unsealed, (await at(30_000)).overdue], [2, 0]);
    assert.equal((await at(60_002)).overdue, 1);
    await sealEvents(db);
    const { breaks, backdated, overdue } = await at(60_002);
    assert.deepEqual([breaks, overdue], [[], 0]);
    assert.deepEqual(
      backdated.map(({ sequence, byMs }) => [sequence, byMs]),
      [[3, 10 * 60_000 - 1]],
    );
  });
}
