/** The journal of dead hashes, as servers write it. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertRefusal, eventually } from '../support/contract.ts';
import { bearer, call } from '../support/person.ts';
import { newDataDir } from '../support/server.ts';
import { refusedStart } from '../support/start.ts';
import { hashOf, kinds, Scene } from './scene.ts';

for (const kind of kinds) {
  test(`${kind}: a revoke that cannot be written to the journal is an error, and can be made good`, async (t) => {
    const scene = await Scene.of(t, kind);
    const server = await scene.start();
    const ada = await server.signIn();
    const first = await ada.makeKey({ name: 'first' });
    const second = await ada.makeKey({ name: 'second' });
    await ada.revoke(first.key.id);
    const [file, away] = [join(scene.dataDir, 'dead-hashes'), scene.onShelf('away')];
    renameSync(file, away);
    mkdirSync(file);
    const failed = await ada.call('POST', `/v1/api-keys/${second.key.id}/revoke`);
    const refusal = assertRefusal(failed, 'storage_unavailable');
    assert.match(refusal.message, /The key is revoked, but .* Revoke it again/);
    await server.printed('could not be written to the journal');
    const used = await call(`${server.url}/v1/me`, { headers: bearer(second.apiKey) });
    assertRefusal({ ...used }, 'revoked_key');
    rmdirSync(file);
    renameSync(away, file);
    await ada.revoke(second.key.id);
    await ada.revoke(second.key.id);
    await ada.revoke(first.key.id);
    assert.deepEqual(scene.journal(), [hashOf(first.apiKey), hashOf(second.apiKey)]);
  });
}

test('an unfinished end is cut off, what is missing is added, and damage before it stops the start', async (t) => {
  const scene = await Scene.of(t, 'sqlite');
  let server = await scene.start();
  const ada = await server.signIn();
  for (const name of ['first', 'second']) await ada.revoke((await ada.makeKey({ name })).key.id);
  await server.kill('SIGTERM');
  const file = join(scene.dataDir, 'dead-hashes');
  const whole = readFileSync(file, 'latin1');
  const [first = '', second = ''] = whole.match(/.+\n/g) ?? [];

  writeFileSync(file, first);
  appendFileSync(file, second.slice(0, 20));
  server = await scene.start();
  await server.printed('was unfinished, and is cut off');
  await eventually(
    async () => readFileSync(file, 'latin1'),
    (text) => text === whole,
  );
  await server.kill('SIGTERM');

  // A file system that grew the file before it wrote it.
  writeFileSync(file, first + '\0'.repeat(second.length));
  server = await scene.start();
  await eventually(
    async () => readFileSync(file, 'latin1'),
    (text) => text === whole,
  );
  await server.kill('SIGTERM');

  writeFileSync(file, (first.startsWith('0') ? '1' : '0') + first.slice(1) + second);
  assert.match(
    await refusedStart(65, { dataDir: scene.dataDir, env: { DATABASE_URL: undefined } }),
    /journal .*damaged in line 1\./,
  );

  rmSync(file);
  server = await scene.start();
  await eventually(
    async () => scene.journal().length,
    (lines) => lines === 2,
  );
  assert.deepEqual(scene.journal().sort(), whole.match(/^[0-9a-f]{64}/gm)?.sort());
});

test('a restore is refused when the end of the journal is damaged, and cuts nothing off', async (t) => {
  const scene = await Scene.of(t, 'sqlite');
  const server = await scene.start();
  const ada = await server.signIn();
  const keys = [await ada.makeKey({ name: 'first' }), await ada.makeKey({ name: 'second' })];
  const backup = scene.onShelf('backup');
  assert.equal((await scene.operate(['backup', backup])).code, 0);
  for (const { key } of keys) await ada.revoke(key.id);
  await server.kill('SIGTERM');
  await scene.freshDatabase();
  const file = join(scene.dataDir, 'dead-hashes');
  const whole = readFileSync(file, 'latin1');
  const place = whole.length - 20;
  const flipped = String.fromCharCode(whole.charCodeAt(place) ^ 1);
  for (const [damaged, line] of [
    [whole.slice(0, place) + flipped + whole.slice(place + 1), 2],
    [whole.replaceAll('\n', '\r\n'), 1],
    [whole.slice(1), 1],
  ] as const) {
    writeFileSync(file, damaged, 'latin1');
    const refused = await scene.operate(['restore', backup]);
    assert.equal(refused.code, 65, refused.output);
    assert.match(refused.output, new RegExp(`journal .*damaged in line ${line}\\.`));
    assert.equal(readFileSync(file, 'latin1'), damaged);
    await scene.freshDatabase();
  }
  // Without its last newline it has lost nothing.
  writeFileSync(file, whole.slice(0, -1));
  const restored = await scene.operate(['restore', backup]);
  assert.match(restored.output, /The journal knew of later revokes: 2 keys alive/);
  assert.equal(readFileSync(file, 'latin1'), whole);
});

test('every node keeps what another one revokes, and only what is dead', async (t) => {
  const scene = await Scene.of(t, 'postgres');
  const other = newDataDir();
  t.after(() => rmSync(other, { recursive: true, force: true }));
  const here = await scene.start();
  await scene.start(other);
  const ada = await here.signIn();
  const renamed = await ada.makeKey({ name: 'renamed' });
  const answer = await ada.call('PATCH', `/v1/api-keys/${renamed.key.id}`, { name: 'another' });
  assert.equal(answer.status, 200);
  const revoked = await ada.makeKey({ name: 'revoked' });
  await ada.revoke(revoked.key.id);
  assert.deepEqual(scene.journal(), [hashOf(revoked.apiKey)]);
  const kept = (count: number) =>
    eventually(
      async () => scene.journal(other),
      (hashes) => hashes.length >= count,
    );
  assert.deepEqual(await kept(1), [hashOf(revoked.apiKey)]);
  // The first one may have been found by the look at everything that a node has after it has joined.
  const next = await ada.makeKey({ name: 'next' });
  await ada.revoke(next.key.id);
  assert.deepEqual(await kept(2), [hashOf(revoked.apiKey), hashOf(next.apiKey)]);
});
