/** A restore or move that cannot be completed leaves the database empty and reports the cause in one line. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import { assertProblem } from '../support/contract.ts';
import { bearer, call } from '../support/person.ts';
import { createTemporaryDatabase } from '../support/postgres-database.ts';
import { openSession } from '../support/session.ts';
import { directoryContents } from '../support/start-failure.ts';
import { BackupFixture, kinds } from './fixture.ts';

/** A backup with a key that was revoked afterwards, and an empty database. */
async function setUp(t: TestContext, kind: (typeof kinds)[number]) {
  const fixture = await BackupFixture.ready(t, kind);
  const server = await fixture.start();
  const ada = await openSession(server);
  const { key, apiKey } = await ada.createKey({ name: 'revoked later' });
  const file = fixture.inBackupDir('backup');
  assert.equal((await fixture.operate(['backup', file])).code, 0);
  await ada.revoke(key.id);
  await server.kill('SIGTERM');
  await fixture.freshDatabase();
  return { fixture, file, apiKey, journal: join(fixture.dataDir, 'revoked-hashes') };
}

/** Only the owner can read a journal, also after a restore. */
const mode = 0o600;

/** Each replaces the journal with one that cannot be read, by a part of the error. */
const faults: [problem: RegExp, code: number, damage: (journal: string, records: Buffer) => void][] = [
  [/revoked-hashes/, 73, (journal) => mkdirSync(journal)],
  [/damaged in its header/, 65, (journal) => writeFileSync(journal, 'no journal\n'.repeat(20_000), { mode })],
  [/damaged in its header/, 65, (journal, records) => writeFileSync(journal, records.subarray(1), { mode })],
  [
    /damaged in record 1\./,
    65,
    (journal, records) => {
      const flipped = Buffer.from(records);
      flipped.writeUInt8(flipped.readUInt8(40) ^ 1, 40);
      // A damaged last record that ends in a zero is taken for the remains of an interrupted write.
      flipped.writeUInt8(flipped.readUInt8(flipped.length - 1) | 1, flipped.length - 1);
      writeFileSync(journal, flipped, { mode });
    },
  ],
];

for (const kind of kinds) {
  test(`${kind}: a restore writes nothing if the revocation journal cannot be read, and otherwise applies it`, async (t) => {
    const { fixture, file, apiKey, journal } = await setUp(t, kind);
    const records = readFileSync(journal);
    for (const [problem, code, damage] of faults) {
      rmSync(journal, { recursive: true });
      damage(journal, records);
      const before = directoryContents(fixture.dataDir);
      const rejected = await fixture.operate(['restore', file]);
      assert.equal(rejected.code, code, rejected.output);
      assert.match(rejected.output, /^soku: .*revoked-hashes.*\n$/);
      assert.match(rejected.output, problem);
      assert.deepEqual(directoryContents(fixture.dataDir), before);
    }
    rmSync(journal, { recursive: true });
    writeFileSync(journal, Buffer.concat([records, records.subarray(0, 20)]));
    const restored = await fixture.operate(['restore', file]);
    assert.equal(restored.code, 0, restored.output);
    assert.match(restored.output, /The incomplete end of the revocation journal was removed\./);
    assert.match(
      restored.output,
      /The revocation journal has later revocations: 1 active key revoked again\./,
    );
    if (kind === 'postgres') await assertTogether(fixture.variables.DATABASE_URL);
    const server = await fixture.start();
    assertProblem(await call(`${server.url}/v1/me`, { headers: bearer(apiKey) }), 'revoked_key');

    if (kind === 'postgres') return;
    await server.kill('SIGTERM');
    await fixture.freshDatabase();
    rmSync(journal);
    const unknown = await fixture.operate(['restore', file]);
    assert.equal(unknown.code, 0, unknown.output);
    assert.ok(
      unknown.output.includes(
        `${fixture.dataDir} has no revocation journal (file revoked-hashes), so revocations after the backup`,
      ),
      unknown.output,
    );
  });
}

/** Asserts that the key and its revocation were written together, so no running server sees one without the other. */
async function assertTogether(url: string | undefined): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client
    .query('SELECT w.xmin = d.xmin AS together FROM workspace w, dead_hash d')
    .finally(() => client.end());
  assert.deepEqual(rows, [{ together: true }]);
}

test('a restore checks that the target database exists and is empty before it reads the backup', async (t) => {
  const fixture = await BackupFixture.ready(t, 'postgres');
  const file = fixture.inBackupDir('no backup');
  writeFileSync(file, 'no database '.repeat(1000));
  const full = await fixture.operate(['restore', file]);
  assert.equal(full.code, 73, full.output);
  assert.match(full.output, /^soku: DATABASE_URL: the database is not empty \(user\)\..*\n$/);
  const gone = await createTemporaryDatabase();
  await gone.drop();
  for (const command of [['restore', file], ['move-to-postgres']]) {
    const none = await fixture.operate(command, { DATABASE_URL: gone.url });
    assert.equal(none.code, 78, none.output);
    assert.match(
      none.output,
      /^soku: DATABASE_URL: PostgreSQL (has no such database|rejected the user).*\n$/,
    );
  }
});
