/** Restoring an older database does not reactivate secrets that were retired since, and a restart retires lapsed ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Key } from '@soku/contract/keys';
import { eventually } from '../support/contract.ts';
import { inDatabaseOf } from '../support/in-database.ts';
import { Rotations } from '../support/rotation.ts';
import { hashOf, kinds, Scene } from './scene.ts';

function retired({ secrets }: Key): boolean[] {
  return secrets.map(({ retiredAt }) => retiredAt !== null);
}

for (const kind of kinds) {
  test(`${kind}: secrets that were retired after the backup are still retired after the restore`, async (t) => {
    const scene = await Scene.ready(t, kind);
    const first = await scene.start();
    const before = await Rotations.on(first);
    const [requested, lapsed, onlySecret] = [
      await before.create(),
      await before.create(),
      await before.create(),
    ];
    const newer = [await before.rotate(requested.key.id), await before.rotate(lapsed.key.id)];
    const file = scene.inBackupDir('backup');
    assert.equal((await scene.operate(['backup', file])).code, 0);
    await before.tryRetire(requested.key.id, requested.key.secrets[0]?.id);
    const unknown = await before.rotate(onlySecret.key.id, { graceSeconds: 0 });
    // Its grace is over while no server runs. The next start retires it.
    const lapsedId = lapsed.key.secrets[0]?.id ?? '';
    await first.kill('SIGTERM');
    await inDatabaseOf(
      first,
      'UPDATE api_key_secret SET retires_at = ? WHERE id = ?',
      Date.now() - 1,
      lapsedId,
    );
    const second = await scene.start();
    const meanwhile = await Rotations.on(second);
    await meanwhile.assertRetired(requested.apiKey, lapsed.apiKey, onlySecret.apiKey);
    await eventually(
      () => meanwhile.show(lapsed.key.id),
      (key) => key.secrets[1]?.retiredAt !== null,
    );
    const ended = [requested, onlySecret, lapsed].map(({ apiKey }) => hashOf(apiKey));
    const journal = await eventually(
      async () => scene.journal(),
      ({ length }) => length >= ended.length,
    );
    assert.deepEqual(journal, ended);
    await second.kill('SIGTERM');

    await scene.freshDatabase();
    const restored = await scene.operate(['restore', file]);
    assert.equal(restored.code, 0, restored.output);
    const third = await scene.start();
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
