import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { pino } from 'pino';
import { eventually } from '../../../../test/support/contract.ts';
import { decodeJournal, encodeJournal } from '../../../../test/support/journal-files.ts';
import { openTemporarySqlite } from '../../../../test/support/temporary-sqlite.ts';
import { DatabaseUnavailable } from '../database/unavailable.ts';
import { RequestError } from '../http/errors.ts';
import { singleProcessPropagation } from '../propagation/single-process.ts';
import { toHex } from './compare.ts';
import { RevocationJournal } from './journal.ts';

function hash(name: string): Buffer {
  return createHash('sha256').update(name).digest();
}

const many = (count: number) => Array.from({ length: count }, (_, i) => `name ${i}`);

/** Creates a database in which some hashes are revoked, and a journal with some records. */
async function setUp(t: TestContext, revoked: string[], records: string[]) {
  const { directory, database, close } = await openTemporarySqlite();
  const { kysely } = database;
  for (let first = 0; first < revoked.length; first += 1000) {
    const rows = revoked.slice(first, first + 1000).map((name) => ({ hash: hash(name) }));
    await kysely.insertInto('dead_hash').values(rows).execute();
  }
  const path = join(directory.path, 'revoked-hashes');
  writeFileSync(path, encodeJournal(records.map((name) => toHex(hash(name)))));
  const log: string[] = [];
  const journal = new RevocationJournal(
    directory,
    database,
    pino({}, { write: (line: string) => log.push(line) }),
  );
  t.after(async () => {
    await journal.stop();
    await close();
  });
  const written = () => decodeJournal(readFileSync(path));
  const inDatabase = async () => {
    const rows = await kysely.selectFrom('dead_hash').select('hash').execute();
    return rows.map((row) => toHex(row.hash)).sort();
  };
  return { directory, database, journal, path, log, written, inDatabase };
}

const sorted = (names: string[]) => names.map((name) => toHex(hash(name))).sort();

test('a full comparison after a start revokes a key that only a record far from the end shows', async (t) => {
  // X was revoked before the hashes that were appended late, which a database without X has, and before later ones.
  const { database, journal, written, inDatabase } = await setUp(
    t,
    [...many(1000), 'Y'],
    ['X', ...many(1000)],
  );
  const evicted: string[] = [];
  const cache = {
    evict: (hashes: Iterable<Uint8Array>) => evicted.push(...Array.from(hashes, toHex)),
    evictWorkspace: () => undefined,
  };
  singleProcessPropagation(database, cache, journal);
  await journal.start();
  const all = sorted(['X', 'Y', ...many(1000)]);
  await eventually(
    async () => written(),
    (hashes) => hashes.length === all.length,
  );
  assert.deepEqual(await inDatabase(), all);
  assert.deepEqual(written().sort(), all);
  // The verifier had X in its cache.
  assert.deepEqual(evicted, sorted(['X']));
});

test('a second record of a hash does not make the database look older', async (t) => {
  const { journal, log, written, inDatabase } = await setUp(
    t,
    [...many(1500), 'Z'],
    [...many(1500), 'name 0', 'name 1'],
  );
  await journal.start();
  await eventually(
    async () => written(),
    (hashes) => hashes.at(-1) === toHex(hash('Z')),
  );
  assert.deepEqual(await inDatabase(), sorted([...many(1500), 'Z']));
  assert.doesNotMatch(log.join(''), /older than the revocation journal/);
});

test('a second record of a hash does not hide that another one is missing', async (t) => {
  const { journal, inDatabase } = await setUp(t, many(1500), ['X', ...many(1500), 'name 0']);
  await journal.start();
  // This happens before anything is verified.
  assert.deepEqual(await inDatabase(), sorted(['X', ...many(1500)]));
});

test('after a restore, journal and database agree, whatever the order of the records', async (t) => {
  const { journal, written, inDatabase } = await setUp(t, [...many(1000), 'Y'], ['X', ...many(1000)]);
  assert.deepEqual(await journal.reconcile(), { hashes: 1, keys: 0 });
  const all = sorted(['X', 'Y', ...many(1000)]);
  assert.deepEqual(await inDatabase(), all);
  assert.deepEqual(written().sort(), all);
  assert.deepEqual(await journal.reconcile(), { hashes: 0, keys: 0 });
});

test('a damaged record far from the end does not prevent writing revocations of another node', async (t) => {
  const { journal, path, log, written } = await setUp(t, [...many(1500), 'Z', 'later'], many(1500));
  const content = readFileSync(path);
  content.writeUInt8(content.readUInt8(36) ^ 1, 36);
  writeFileSync(path, content);
  await journal.start();
  await eventually(
    async () => log.join(''),
    (logged) => /damaged in record 1\./.test(logged),
  );
  journal.keysChanged([hash('Z'), hash('of an active key')]);
  await eventually(
    async () => written().at(-1),
    (last) => last === toHex(hash('Z')),
  );
  assert.equal(written().length, 1501);
  // The same holds when everything must be compared again.
  journal.changesMissed();
  journal.keysChanged([hash('later')]);
  await eventually(
    async () => written().at(-1),
    (last) => last === toHex(hash('later')),
  );
});

test('a running comparison does not delay the end of the process', async (t) => {
  const { journal, path, log, written } = await setUp(t, many(2500), many(2500));
  writeFileSync(path, readFileSync(path).subarray(0, 36 * 1251));
  await journal.start();
  // Timers of the same duration run in order, so the comparison has begun and waits for the file.
  await setTimeout(0);
  await journal.stop();
  assert.equal(written().length, 1250);
  assert.deepEqual(log, []);
});

test('a journal that is moved away while the server runs is rewritten in full', async (t) => {
  const { database, journal, path, log, written } = await setUp(t, many(3), many(3));
  await journal.start();
  await database.kysely
    .insertInto('dead_hash')
    .values({ hash: hash('X') })
    .execute();
  await journal.append([hash('X')]);
  assert.deepEqual(written().sort(), sorted([...many(3), 'X']));
  renameSync(path, `${path}.away`);
  await journal.append([hash('X')]);
  assert.ok(written().includes(toHex(hash('X'))));
  await eventually(
    async () => written(),
    (hashes) => hashes.length === 4,
  );
  assert.deepEqual(written().sort(), sorted([...many(3), 'X']));
  assert.match(log.join(''), /moved away, replaced or changed while the server runs/);
});

test('however many keys another node revokes at once, all of them are written', async (t) => {
  const { database, journal, written } = await setUp(t, ['X'], []);
  await journal.start();
  await eventually(
    async () => written().length,
    (length) => length === 1,
  );
  const rows = many(1500).map((name) => ({ hash: hash(name) }));
  for (const some of [rows.slice(0, 750), rows.slice(750)]) {
    await database.kysely.insertInto('dead_hash').values(some).execute();
  }
  journal.keysChanged(rows.map((row) => row.hash));
  await eventually(
    async () => written().length,
    (length) => length > 1,
  );
  // Waits for the rest of the work.
  await journal.stop();
  assert.deepEqual(written().sort(), sorted(['X', ...many(1500)]));
});

test('the counted failures are those of the journal, and not of a database that does not respond', async (t) => {
  const { directory, database, path, log, written } = await setUp(t, ['X', 'Y'], []);
  let isReachable = true;
  const kysely = database.kysely.withPlugin({
    transformQuery: ({ node }) => {
      if (isReachable) return node;
      throw new DatabaseUnavailable(new Error('no route to host'), {
        code: 'EHOSTUNREACH',
        rolledBack: true,
      });
    },
    transformResult: async ({ result }) => result,
  });
  const logger = pino({}, { write: (line: string) => log.push(line) });
  const journal = new RevocationJournal(directory, { ...database, kysely }, logger);
  t.after(() => journal.stop());
  await journal.start();
  await eventually(
    async () => written().length,
    (count) => count === 2,
  );
  isReachable = false;
  journal.changesMissed();
  await eventually(
    async () => log.join(''),
    (logged) => /no route to host/.test(logged),
  );
  assert.equal(journal.failures, 0);
  // No user can write to it.
  rmSync(path);
  mkdirSync(path);
  await assert.rejects(journal.append([hash('Z')]), RequestError);
  assert.ok(journal.failures > 0);
});
