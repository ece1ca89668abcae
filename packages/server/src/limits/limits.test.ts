import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { pino } from 'pino';
import { openTemporarySqlite } from '../../../../test/support/temporary-sqlite.ts';
import { KeyLimits } from './key-limits.ts';
import { createLimits } from './limits.ts';
import { consume } from './sliding-window.ts';

const minute = 60_000;
const start = 29_500_000 * minute;

const { database, close } = await openTemporarySqlite();
after(close);

beforeEach(async () => {
  await database.kysely.deleteFrom('rate_window').execute();
});

const log = pino({ level: 'silent' });
const stored = () => database.reader.prepare('SELECT * FROM rate_window ORDER BY key_id').all();

/** The limits of a process that runs at this time. */
async function started(now: number) {
  const windows = new KeyLimits();
  const limits = createLimits({ database, log, windows, now: () => now });
  await limits.start();
  return { ...limits, windows };
}

test('windows that count are saved at shutdown, and continue after the start', async () => {
  const before = await started(start);
  // More than fit into one transaction.
  for (let i = 0; i < 1234; i++) consume(before.windows.ofKey(`key ${i}`), 'key', 10, start + i);
  await before.stop();
  assert.equal(stored().length, 1234);

  const next = await started(start + minute);
  assert.equal(next.windows.size, 1234);
  for (let i = 0; i < 1234; i++) {
    assert.equal(consume(next.windows.ofKey(`key ${i}`), 'key', 10, start + minute).remaining, 8, `key ${i}`);
  }
  await next.stop();
  assert.equal(stored().length, 1234);
});

test('after a crash, windows of the last clean shutdown still count', async () => {
  const before = await started(start);
  consume(before.windows.ofKey('a'), 'key', 10, start);
  await before.stop();
  const crashed = await started(start);
  consume(crashed.windows.ofKey('a'), 'key', 10, start);
  const next = await started(start);
  assert.equal(consume(next.windows.ofKey('a'), 'key', 10, start).remaining, 8);
  for (const limits of [crashed, next]) await limits.stop();
});

test('expired windows are neither saved nor restored', async () => {
  const before = await started(start);
  consume(before.windows.ofKey('old'), 'key', 1, start - 2 * minute);
  consume(before.windows.ofKey('new'), 'key', 1, start);
  before.windows.ofKey('unused');
  await before.stop();
  assert.deepEqual(
    stored().map((row) => ({ ...row })),
    [{ key_id: 'new', minute: start / minute, current: 1, previous: 0 }],
  );
  const next = await started(start + 2 * minute);
  assert.equal(next.windows.size, 0);
  await next.stop();
  assert.deepEqual(stored(), []);
});

test('a key that was used under a clock far ahead is not free after the clock was set back', async () => {
  const before = await started(start + 1000 * minute);
  consume(before.windows.ofKey('a'), 'key', 1, start + 1000 * minute);
  await before.stop();
  const next = await started(start);
  assert.equal(consume(next.windows.ofKey('a'), 'key', 1, start).passed, false);
  assert.equal(consume(next.windows.ofKey('a'), 'key', 1, start + 2 * minute).passed, true);
  await next.stop();
});

test('a database that does not respond does not block the shutdown', async () => {
  const lines: string[] = [];
  const windows = new KeyLimits();
  const limits = createLimits({
    windows,
    database: { ...database, transact: () => Promise.reject(new Error('locked')) },
    log: pino({}, { write: (line: string) => lines.push(line) }),
    now: () => start,
  });
  consume(windows.ofKey('a'), 'key', 1, start);
  await limits.stop();
  assert.match(lines.join(''), /windows could not be saved.*locked|locked.*windows could not be saved/);
});
