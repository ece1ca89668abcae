/** The systemd unit: its syntax, its score, and the exit codes it knows. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { exitCodes } from '../../packages/server/src/startup-error.ts';
import { debianProgram } from '../support/debian.ts';
import { root } from '../support/server.ts';
import { assemble } from './sandbox.ts';

const unit = readFileSync(join(root, 'deploy/soku.service'), 'utf8');
const directory = mkdtempSync(join(tmpdir(), 'soku-unit-'));
const installation = assemble();
after(() => {
  for (const path of [directory, dirname(installation)]) rmSync(path, { recursive: true, force: true });
});

const analyze = debianProgram('systemd-analyze', ['systemd']);
const skip = typeof analyze === 'string' ? analyze : false;

/** Ten times the exposure, from 0 to 100. It is 13 with systemd 252. */
const highestExposure = '13';

function analyzed(...args: string[]): string {
  assert.ok(typeof analyze !== 'string');
  const { file, root: place, env } = analyze;
  const folders = ['usr/lib/x86_64-linux-gnu/systemd', 'usr/lib/aarch64-linux-gnu/systemd', 'lib/systemd'];
  const libraries = [env.LD_LIBRARY_PATH, ...folders.map((folder) => join(place, folder))].join(':');
  const { status, stdout, stderr } = spawnSync(file, args, {
    encoding: 'utf8',
    env: {
      ...(place === '' ? {} : { LD_LIBRARY_PATH: libraries }),
      SYSTEMD_UNIT_PATH: `${directory}:${join(place, '/lib/systemd/system')}:${join(place, '/usr/lib/systemd/system')}`,
    },
  });
  assert.equal(status, 0, `${stdout}${stderr}`);
  return stderr;
}

test('systemd accepts the unit without a warning, and its program is part of the installation', {
  skip,
}, () => {
  const file = join(directory, 'soku.service');
  writeFileSync(file, unit.replaceAll('/opt/soku', installation));
  assert.equal(analyzed('verify', '--man=no', file), '');
});

test('the unit leaves the server few privileges', { skip }, () => {
  analyzed('security', '--offline=true', `--threshold=${highestExposure}`, join(root, 'deploy/soku.service'));
});

test('systemd does not restart a server that needs a person first', () => {
  const [, prevented = ''] = /^RestartPreventExitStatus=(.*)$/m.exec(unit) ?? [];
  const { unavailable, software, ...others } = exitCodes;
  // 64: an invalid command line.
  assert.deepEqual(prevented.split(' ').map(Number), [64, ...Object.values(others)].sort());
});
