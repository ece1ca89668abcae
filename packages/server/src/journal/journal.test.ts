import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { pino } from 'pino';
import { eventually } from '../../../../test/support/contract.ts';
import { openTemporary } from '../../../../test/support/temporary-sqlite.ts';
import { singleProcessPropagation } from '../revocation/single-process.ts';
import { digits } from './compare.ts';
import { DeadHashJournal } from './journal.ts';
import { writeLine } from './line.ts';

function hash(name: string): Buffer {
  return createHash('sha256').update(name).digest();
}

const many = (count: number) => Array.from({ length: count }, (_, i) => `name ${i}`);

/** A database in which these hashes are dead, and a journal that has these lines. */
async function scene(t: TestContext, dead: string[], lines: string[]) {
  const { directory, database, close } = await openTemporary();
  const { kysely } = database;
  for (let first = 0; first < dead.length; first += 1000) {
    const rows = dead.slice(first, first + 1000).map((name) => ({ hash: hash(name) }));
    await kysely.insertInto('dead_hash').values(rows).execute();
  }
  const path = join(directory.path, 'dead-hashes');
  writeFileSync(path, lines.map((name) => writeLine(digits(hash(name)))).join(''));
  const log: string[] = [];
  const journal = new DeadHashJournal(
    directory,
    database,
    pino({}, { write: (line: string) => log.push(line) }),
  );
  t.after(async () => {
    await journal.stop();
    await close();
  });
  const written = (): string[] => readFileSync(path, 'latin1').match(/^[0-9a-f]{64}(?= )/gm) ?? [];
  const inDatabase = async () => {
    const rows = await kysely.selectFrom('dead_hash').select('hash').execute();
    return rows.map((row) => digits(row.hash)).sort();
  };
  return { database, journal, path, log, written, inDatabase };
}

const sorted = (names: string[]) => names.map((name) => digits(hash(name))).sort();

test('after a start all is compared: a line far from the end kills what the database has alive', async (t) => {
  // X died before those that were added late, which a database without X has, and later ones.
  const { database, journal, written, inDatabase } = await scene(
    t,
    [...many(1000), 'Y'],
    ['X', ...many(1000)],
  );
  const forgotten: string[] = [];
  const memory = {
    forget: (hashes: Iterable<Uint8Array>) => forgotten.push(...Array.from(hashes, digits)),
    forgetWorkspace: () => undefined,
  };
  singleProcessPropagation(database, memory, journal);
  await journal.start();
  const all = sorted(['X', 'Y', ...many(1000)]);
  await eventually(
    async () => written(),
    (hashes) => hashes.length === all.length,
  );
  assert.deepEqual(await inDatabase(), all);
  assert.deepEqual(written().sort(), all);
  // The verifier remembered it as good.
  assert.deepEqual(forgotten, sorted(['X']));
});

test('a second line does not hide that another one is missing, and is taken out', async (t) => {
  const { journal, written } = await scene(t, [...many(1500), 'Z'], [...many(1500), 'name 0']);
  await journal.start();
  const all = sorted([...many(1500), 'Z']);
  assert.deepEqual(
    await eventually(
      async () => written().sort(),
      (hashes) => hashes.includes(digits(hash('Z'))) && hashes.length <= all.length,
    ),
    all,
  );
});

test('whoever restores has both in the same state, whatever the order of the lines', async (t) => {
  const { journal, written, inDatabase } = await scene(t, [...many(1000), 'Y'], ['X', ...many(1000)]);
  assert.deepEqual(await journal.settle(), { hashes: 1, keys: 0 });
  const all = sorted(['X', 'Y', ...many(1000)]);
  assert.deepEqual(await inDatabase(), all);
  assert.deepEqual(written().sort(), all);
  assert.deepEqual(await journal.settle(), { hashes: 0, keys: 0 });
});

test('a damaged line far from the end does not keep what another node revokes from being written', async (t) => {
  const { journal, path, log, written } = await scene(t, [...many(1500), 'Z', 'later'], many(1500));
  const text = readFileSync(path, 'latin1');
  writeFileSync(path, `x${text.slice(1)}`);
  await journal.start();
  await eventually(
    async () => log.join(''),
    (told) => /damaged in line 1\./.test(told),
  );
  journal.heard([hash('Z'), hash('of a living key')]);
  await eventually(
    async () => written().at(-1),
    (last) => last === digits(hash('Z')),
  );
  assert.equal(written().length, 1500);
  // And so when everything is to be compared again.
  journal.missed();
  journal.heard([hash('later')]);
  await eventually(
    async () => written().at(-1),
    (last) => last === digits(hash('later')),
  );
});

test('a comparison under way does not hold up the end of the process', async (t) => {
  const { journal, path, log, written } = await scene(t, many(2500), many(2500));
  const before = readFileSync(path, 'latin1');
  writeFileSync(path, before.slice(0, before.length / 2));
  await journal.start();
  // Timers of the same length run in their order: the comparison has begun, and waits for the file.
  await setTimeout(0);
  await journal.stop();
  assert.equal(written().length, 1250);
  assert.deepEqual(log, []);
});
