/** Restoring an older database does not reactivate secrets that were retired since, and a restart retires lapsed ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Key } from '@soku/contract/keys';
import { eventually } from '../support/contract.ts';
import { Rotations } from '../support/rotation.ts';
import { runSqlOn } from '../support/run-sql.ts';
import { BackupFixture, hashOf, kinds } from './fixture.ts';

function retired({ secrets }: Key): boolean[] {
  return secrets.map(({ retiredAt }) => retiredAt !== null);
}

for (const kind of kinds) {
  test(`${kind}: secrets that were retired after the backup are still retired after the restore`, async (t) => {
    const fixture = await BackupFixture.ready(t, kind);
    const first = await fixture.start();
    const before = await Rotations.on(first);
    const [requested, lapsed, onlySecret] = [
      await before.create(),
      await before.create(),
      await before.create(),
    ];
    const newer = [await before.rotate(requested.key.id), await before.rotate(lapsed.key.id)];
    const file = fixture.inBackupDir('backup');
    assert.equal((await fixture.operate(['backup', file])).code, 0);
    await before.tryRetire(requested.key.id, requested.key.secrets[0]?.id);
    const unknown = await before.rotate(onlySecret.key.id, { graceSeconds: 0 });
    // Its grace is over while no server runs. The next start retires it.
    const lapsedId = lapsed.key.secrets[0]?.id ?? '';
    await first.kill('SIGTERM');
    await runSqlOn(first, 'UPDATE api_key_secret SET retires_at = ? WHERE id = ?', Date.now() - 1, lapsedId);
    const second = await fixture.start();
    const meanwhile = await Rotations.on(second);
    await meanwhile.assertRetired(requested.apiKey, lapsed.apiKey, onlySecret.apiKey);
    await eventually(
      () => meanwhile.show(lapsed.key.id),
      (key) => key.secrets[1]?.retiredAt !== null,
    );
    const ended = [requested, onlySecret, lapsed].map(({ apiKey }) => hashOf(apiKey));
    const journal = await eventually(
      async () => fixture.journal(),
      ({ length }) => length >= ended.length,
    );
    assert.deepEqual(journal, ended);
    await second.kill('SIGTERM');

    await fixture.freshDatabase();
    const restored = await fixture.operate(['restore', file]);
    assert.equal(restored.code, 0, restored.output);
    const third = await fixture.start();
    const later = await Rotations.on(third);
    await later.assertRetired(requested.apiKey, lapsed.apiKey);
    await later.assertAccepted(...newer.map(({ apiKey }) => apiKey));
    for (const { key } of [requested, lapsed])
      assert.deepEqual(retired(await later.show(key.id)), [false, true]);
    // The backup has no other secret of this key, so the key is revoked.
    assert.equal((await later.show(onlySecret.key.id)).status, 'revoked');
    for (const { apiKey } of [onlySecret, unknown]) assert.equal((await later.verify(apiKey)).status, 401);
  });
}
