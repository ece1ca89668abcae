/** The revocation journal that servers write. */
import assert from 'node:assert/strict';
import { linkSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { assertProblem, eventually } from '../support/contract.ts';
import { encodeTextJournal } from '../support/journal-files.ts';
import { bearer, call } from '../support/person.ts';
import { Rotations } from '../support/rotation.ts';
import { newDataDir } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { expectStartFailure } from '../support/start-failure.ts';
import { BackupFixture, hashOf, kinds } from './fixture.ts';

/**
 * Makes the journal unwritable. Each step is one rename, because a server that finds no journal writes all hashes again.
 *
 * @param away where the journal stays meanwhile
 * @returns puts it back
 */
function block(file: string, away: string): () => void {
  linkSync(file, away);
  const linkToDirectory = `${away}.link`;
  symlinkSync(dirname(away), linkToDirectory);
  renameSync(linkToDirectory, file);
  return () => renameSync(away, file);
}

for (const kind of kinds) {
  test(`${kind}: a revoke or rotation that cannot be written to the journal returns an error, and is written later`, async (t) => {
    const fixture = await BackupFixture.ready(t, kind);
    const server = await fixture.start();
    const ada = await openSession(server);
    const first = await ada.createKey({ name: 'first' });
    const second = await ada.createKey({ name: 'second' });
    await ada.revoke(first.key.id);
    const [file, away] = [join(fixture.dataDir, 'revoked-hashes'), fixture.inBackupDir('away')];
    let restore = block(file, away);
    const failed = await ada.call('POST', `/v1/api-keys/${second.key.id}/revoke`);
    const problem = assertProblem(failed, 'storage_unavailable');
    assert.match(problem.message, /The change is in effect, but .* Repeat the call/);
    await server.printed('could not be written to the revocation journal');
    const used = await call(`${server.url}/v1/me`, { headers: bearer(second.apiKey) });
    assertProblem({ ...used }, 'revoked_key');
    restore();
    for (const { key } of [second, second, first]) await ada.revoke(key.id);
    assert.deepEqual(fixture.journal(), [hashOf(first.apiKey), hashOf(second.apiKey)]);

    const rotations = await Rotations.on(server);
    const third = await rotations.create();
    restore = block(file, away);
    const failedRotation = await rotations.tryRotate(third.key.id, { body: { graceSeconds: 0 } });
    assertProblem(failedRotation, 'storage_unavailable');
    await rotations.assertRetired(third.apiKey);
    restore();
    // The retry retires the secret that no one saw. The first secret is written without one.
    const fourth = await rotations.rotate(third.key.id, { graceSeconds: 0 });
    await rotations.assertAccepted(fourth.apiKey);
    const journal = await eventually(
      async () => fixture.journal(),
      ({ length }) => length === 4,
    );
    assert.ok(journal.includes(hashOf(third.apiKey)) && !journal.includes(hashOf(fourth.apiKey)));
  });
}

test('a start removes an incomplete end of the journal, adds missing hashes, and fails on any other damage', async (t) => {
  const fixture = await BackupFixture.ready(t, 'sqlite');
  let server = await fixture.start();
  const ada = await openSession(server);
  for (const name of ['first', 'second']) await ada.revoke((await ada.createKey({ name })).key.id);
  await server.kill('SIGTERM');
  const file = join(fixture.dataDir, 'revoked-hashes');
  const whole = readFileSync(file);
  const restored = () =>
    eventually(
      async () => readFileSync(file),
      (content) => content.equals(whole),
    );
  const [hashes, end] = [fixture.journal(), whole.length - 36];

  writeFileSync(file, whole.subarray(0, end + 20));
  server = await fixture.start();
  await server.printed('incomplete end of the revocation journal was removed');
  await restored();
  await server.kill('SIGTERM');

  const damaged = Buffer.from(whole);
  damaged.writeUInt8(damaged.readUInt8(36) ^ 1, 36);
  writeFileSync(file, damaged);
  assert.match(
    await expectStartFailure(65, { dataDir: fixture.dataDir, env: { DATABASE_URL: undefined } }),
    /journal .*damaged in record 1\./,
  );

  rmSync(file);
  server = await fixture.start();
  await eventually(
    async () => fixture.journal().length,
    (count) => count === 2,
  );
  assert.deepEqual(fixture.journal().sort(), hashes.sort());
});

for (const kind of kinds) {
  test(`${kind}: the journal of an earlier version keeps keys revoked through an upgrade and a restore`, async (t) => {
    const fixture = await BackupFixture.ready(t, kind);
    const first = await fixture.start();
    const ada = await openSession(first);
    const [early, late, kept] = [
      await ada.createKey({ name: 'early' }),
      await ada.createKey({ name: 'late' }),
      await ada.createKey({ name: 'kept' }),
    ];
    const backup = fixture.inBackupDir('backup');
    assert.equal((await fixture.operate(['backup', backup])).code, 0);
    await ada.revoke(early.key.id);
    await first.kill('SIGTERM');
    // The data directory as an earlier version leaves it.
    const textFile = join(fixture.dataDir, 'dead-hashes');
    rmSync(join(fixture.dataDir, 'revoked-hashes'));
    const text = encodeTextJournal([hashOf(early.apiKey)]);
    writeFileSync(textFile, text);
    await fixture.freshDatabase();
    const restored = await fixture.operate(['restore', backup]);
    assert.match(restored.output, /has later revocations: 1 active key revoked again\./);

    const second = await fixture.start();
    const owner = await openSession(second);
    await owner.revoke(late.key.id);
    await second.kill('SIGTERM');
    assert.deepEqual(fixture.journal(), [hashOf(early.apiKey), hashOf(late.apiKey)]);
    assert.equal(readFileSync(textFile, 'utf8'), text);
    // After a downgrade, the earlier version revokes another key; then the database is replaced with an older one.
    writeFileSync(textFile, encodeTextJournal([early, kept].map(({ apiKey }) => hashOf(apiKey))));
    await fixture.freshDatabase();
    const elsewhere = newDataDir();
    t.after(() => rmSync(elsewhere, { recursive: true, force: true }));
    assert.equal((await fixture.operate(['restore', backup], { SOKU_DATA_DIR: elsewhere })).code, 0);
    if (kind === 'sqlite') renameSync(join(elsewhere, 'soku.db'), join(fixture.dataDir, 'soku.db'));
    const third = await fixture.start();
    assert.match(third.output, /"hashes":3,"keys":3,.*older than the revocation journal/);
    for (const { apiKey } of [early, late, kept]) {
      assertProblem(await call(`${third.url}/v1/me`, { headers: bearer(apiKey) }), 'revoked_key');
    }
  });
}

test('every node records the revocations of other nodes in its journal, and no other changes', async (t) => {
  const fixture = await BackupFixture.ready(t, 'postgres');
  const other = newDataDir();
  t.after(() => rmSync(other, { recursive: true, force: true }));
  const here = await fixture.start();
  await fixture.start(other);
  const ada = await openSession(here);
  const renamed = await ada.createKey({ name: 'renamed' });
  const response = await ada.call('PATCH', `/v1/api-keys/${renamed.key.id}`, { name: 'another' });
  assert.equal(response.status, 200);
  const revoked = await ada.createKey({ name: 'revoked' });
  await ada.revoke(revoked.key.id);
  assert.deepEqual(fixture.journal(), [hashOf(revoked.apiKey)]);
  const recorded = (count: number) =>
    eventually(
      async () => fixture.journal(other),
      (hashes) => hashes.length >= count,
    );
  assert.deepEqual(await recorded(1), [hashOf(revoked.apiKey)]);
  // The other node may have found the first one in the full comparison after it joined, so revoke another.
  const next = await ada.createKey({ name: 'next' });
  await ada.revoke(next.key.id);
  assert.deepEqual(await recorded(2), [hashOf(revoked.apiKey), hashOf(next.apiKey)]);
});
