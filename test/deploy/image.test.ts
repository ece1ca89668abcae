/**
 * Builds the image from the unchanged Dockerfile with Buildah, and runs it. No registry of images is needed: the base
 * image is created from Debian's packages, with the Node and npm of this machine. Takes minutes, so it runs only with
 * SOKU_TEST_LONG, and needs root.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { debianProgram, type Program } from '../support/debian.ts';
import { runCount } from '../support/run-count.ts';
import { root } from '../support/server.ts';
import { readDockerfile } from './dockerfile.ts';
import { skipWithoutSandbox } from './sandbox.ts';
import { assertServes } from './serving.ts';

const isLong = runCount(0, 1) === 1 && process.getuid?.() === 0;
const programs = isLong ? [debianProgram('buildah', ['buildah', 'crun']), debianProgram('mmdebstrap')] : [];
const skip = isLong
  ? skipWithoutSandbox || programs.find((program) => typeof program === 'string')
  : 'takes minutes, and needs root: SOKU_TEST_LONG=yes';

const image = readDockerfile();
const base = `docker.io/library/node:${image.args.NODE_VERSION}-slim`;

function run(file: string, args: string[], env: NodeJS.ProcessEnv = process.env): string {
  const result = spawnSync(file, args, { cwd: root, encoding: 'utf8', env });
  assert.equal(result.status, 0, `${file} ${args.join(' ')}\n${result.stdout}${result.stderr}`);
  return result.stdout.trim();
}

/** A function that runs Buildah with its data in a folder. It starts itself without variables, so it needs a cache of its libraries. */
function buildahIn(folder: string, program: Program): (...args: string[]) => string {
  const [list, cache, policy] = ['libraries.conf', 'ld.so.cache', 'policy.json'].map((name) =>
    join(folder, name),
  );
  writeFileSync(
    list ?? '',
    `include /etc/ld.so.conf\n${program.env.LD_LIBRARY_PATH?.replaceAll(':', '\n')}\n`,
  );
  run('/sbin/ldconfig', ['-f', list ?? '', '-C', cache ?? '']);
  writeFileSync(policy ?? '', '{"default":[{"type":"insecureAcceptAnything"}]}');
  const script = 'mount --bind "$1" /etc/ld.so.cache && shift && exec "$@"';
  const storage = [
    '--root',
    join(folder, 'images'),
    '--runroot',
    join(folder, 'run'),
    '--storage-driver',
    'vfs',
  ];
  return (command, ...args) => {
    const needsPolicy = ['from', 'commit', 'build'].includes(command ?? '');
    return run('unshare', [
      ...['--mount', 'sh', '-c', script, 'sh', cache ?? '', program.file, ...storage, command ?? ''],
      ...(needsPolicy ? ['--signature-policy', policy ?? ''] : []),
      ...args,
    ]);
  };
}

/** The npm of the machine with its own Node, because the configuration of npm is next to its Node. */
const machine = {
  ...process.env,
  PATH: process.env.PATH?.split(':')
    .filter((folder) => !folder.endsWith('node_modules/.bin'))
    .join(':'),
};

/** The files of a base image, as far as the Dockerfile needs them. */
function createBase(folder: string, mmdebstrap: Program): string {
  const files = join(folder, 'base');
  const [, suite = ''] = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8')) ?? [];
  run('perl', [mmdebstrap.file, '--quiet', '--variant=minbase', '--mode=root', suite, files]);
  const local = join(files, 'usr/local');
  for (const name of ['bin', 'etc', 'lib/node_modules']) mkdirSync(join(local, name), { recursive: true });
  cpSync(process.execPath, join(local, 'bin/node'));
  const npm = dirname(dirname(run('sh', ['-c', 'readlink -f "$(command -v npm)"'], machine)));
  cpSync(npm, join(local, 'lib/node_modules/npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin/npm'));
  // Where npm finds packages here.
  const authorities = run('npm', ['config', 'get', 'cafile'], machine);
  const lines = [`registry=${run('npm', ['config', 'get', 'registry'], machine)}`];
  if (authorities !== 'null') {
    cpSync(authorities, join(local, 'etc/authorities.pem'));
    lines.push('cafile=/usr/local/etc/authorities.pem');
  }
  writeFileSync(join(local, 'etc/npmrc'), `${lines.join('\n')}\n`);
  return files;
}

test('the Dockerfile builds an image that serves with a read-only root', { skip }, async (t) => {
  const [builder, mmdebstrap] = programs;
  assert.ok(typeof builder === 'object' && typeof mmdebstrap === 'object');
  const folder = mkdtempSync(join(tmpdir(), 'soku-image-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const buildah = buildahIn(folder, builder);
  const empty = buildah('from', 'scratch');
  buildah('copy', empty, createBase(folder, mmdebstrap), '/');
  buildah('commit', '--rm', empty, base);
  buildah('build', '--isolation', 'chroot', '--pull-never', '--format', 'docker', '--tag', 'soku', '.');
  const container = buildah('from', '--pull-never', 'localhost/soku');
  const files = buildah('mount', container);
  await assertServes(t, image, { root: files });
  assert.ok(!existsSync(join(files, 'src')), 'the sources are in the image');
});
