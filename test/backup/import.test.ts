/** Imported keys in backups, and after the move to PostgreSQL. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { keyListSchema } from '@soku/contract/keys';
import { bearer, call } from '../support/person.ts';
import type { TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { hashOf, kinds, Scene } from './scene.ts';

const anyToken = { SOKU_IMPORTED_KEY_PREFIXES: '*' };

/** Imports a key with every field. @returns the key and the list of keys */
async function importOne(scene: Scene) {
  const server = await scene.start(undefined, anyToken);
  const token = randomBytes(20).toString('base64url');
  const key = {
    name: 'Imported',
    hash: hashOf(token),
    previewStart: token.slice(0, 12),
    previewEnd: token.slice(-4),
    expiresAt: '2099-01-01T00:00:00Z',
    scopes: ['keys:read'],
    allowedAddresses: ['127.0.0.1', '::1'],
    rateLimit: 60,
    externalId: 'cus_1',
    metadata: { plan: 'pro' },
    createdAt: '2020-01-01T00:00:00Z',
  };
  const response = await (await openSession(server)).call('POST', '/v1/api-keys/import', { keys: [key] });
  assert.deepEqual(response.body, { imported: 1, unchanged: 0, problems: [] });
  const keys = await listOf(server);
  await server.kill('SIGTERM');
  return { token, keys };
}

async function listOf(server: TestServer) {
  const { body } = await (await openSession(server)).call('GET', '/v1/api-keys?status=all');
  return keyListSchema.parse(body).data;
}

async function assertSame(
  scene: Scene,
  { token, keys }: Awaited<ReturnType<typeof importOne>>,
): Promise<void> {
  const server = await scene.start(undefined, anyToken);
  assert.equal((await call(`${server.url}/v1/verify`, { headers: bearer(token) })).status, 204);
  const [before] = keys;
  const [after] = await listOf(server);
  assert.deepEqual(
    after && { ...after, lastUsedAt: null, secrets: [] },
    before && { ...before, secrets: [] },
  );
  assert.equal(after?.secrets[0]?.id, before?.secrets[0]?.id);
}

for (const kind of kinds) {
  test(`a backup and its restore keep imported keys, on ${kind}`, async (t) => {
    const scene = await Scene.ready(t, kind);
    const imported = await importOne(scene);
    const file = scene.inBackupDir('backup');
    const backedUp = await scene.operate(['backup', file]);
    assert.equal(backedUp.code, 0, backedUp.output);
    await scene.freshDatabase();
    const restored = await scene.operate(['restore', file]);
    assert.equal(restored.code, 0, restored.output);
    await assertSame(scene, imported);
  });
}
