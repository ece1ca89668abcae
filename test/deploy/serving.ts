import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { call } from '../support/person.ts';
import { fillDataDir, freePort, newDataDir } from '../support/server.ts';
import type { ImageConfig } from './dockerfile.ts';
import { type Sandbox, SandboxedProcess } from './sandbox.ts';

/** Runs an image like a container: its command, its health check and its other program, with only its volume writable. */
export async function assertServes(
  t: TestContext,
  image: ImageConfig,
  files: Pick<Sandbox, 'installation' | 'root'>,
): Promise<void> {
  const port = await freePort();
  const dataDir = newDataDir();
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  await fillDataDir(dataDir, { kind: 'sqlite' });
  assert.equal(image.volume, image.env.SOKU_DATA_DIR);
  const [uid = '', gid] = image.user.split(':');
  assert.equal(uid, gid);
  assert.match(uid, /^[1-9]\d*$/);
  const sandbox = {
    ...files,
    dataDir,
    dataPath: image.volume,
    uid,
    workDir: image.workDir,
    env: { ...image.env, PORT: String(port) },
  };
  const check = () => new SandboxedProcess(sandbox, image.healthCheck).exited();
  const server = new SandboxedProcess(sandbox, image.command);
  t.after(() => server.stop());
  await server.printed('Listening on');
  assert.equal(await check(), 0);
  const url = `http://localhost:${port}`;
  assert.equal((await call(`${url}/readyz`)).status, 200);
  assert.match((await call(`${url}/settings/api`)).text, /<title>/);
  // As an operator runs it in the running container.
  const backup = new SandboxedProcess(sandbox, ['soku', 'backup', `${image.volume}/backup.db`]);
  assert.equal(await backup.exited(), 0, backup.output);
  const outside = new SandboxedProcess(sandbox, ['soku', 'backup', '/opt/soku/backup.db']);
  assert.equal(await outside.exited(), 73, outside.output);
  server.signal('SIGTERM');
  assert.equal(await server.exited(), 0, server.output);
  assert.match(server.output, /Stopped/);
  assert.equal(await check(), 1);
}
