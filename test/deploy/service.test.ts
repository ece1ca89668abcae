/** The systemd unit: its syntax, its score, and the exit codes it knows. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { exitCodes } from '../../packages/server/src/startup-error.ts';
import { eventually } from '../support/contract.ts';
import { debianProgram } from '../support/debian.ts';
import { codeBlocks } from '../support/markdown.ts';
import { runCount } from '../support/run-count.ts';
import { freePort, root } from '../support/server.ts';
import { testTimeoutMs } from '../support/test-timeout.ts';
import { assemble } from './sandbox.ts';

const unit = readFileSync(join(root, 'deploy/soku.service'), 'utf8');
const directory = mkdtempSync(join(tmpdir(), 'soku-unit-'));
const installation = assemble();
after(() => {
  for (const path of [directory, dirname(installation)]) rmSync(path, { recursive: true, force: true });
});

// Two packages, so it is never the program of this machine, whose version may judge the unit differently.
const analyze = debianProgram('systemd-analyze', ['systemd', 'libsystemd-shared']);
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
      LD_LIBRARY_PATH: libraries,
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

test('the installation can be repeated, and keeps the variables', () => {
  const [install = ''] = codeBlocks('docs/operations/deploy.md', 'sh').filter((block) =>
    block.includes('install -D'),
  );
  assert.doesNotMatch(install, /enable --now/, 'it starts the server before the variables are known');
  const [line = ''] = install.split('\n').filter((text) => text.includes('soku.env'));
  const file = join(directory, 'etc/soku.env');
  const run = () => spawnSync('sh', ['-ec', line.replaceAll('/etc/soku/soku.env', file)]).status;
  assert.equal(run(), 0);
  assert.deepEqual([statSync(file).mode & 0o777, readFileSync(file, 'utf8')], [0o600, '']);
  writeFileSync(file, 'SOKU_SECRET=kept\n');
  assert.equal(run(), 0);
  assert.equal(readFileSync(file, 'utf8'), 'SOKU_SECRET=kept\n');
});

test('systemd does not restart a server that cannot start without an operator', () => {
  const [, prevented = ''] = /^RestartPreventExitStatus=(.*)$/m.exec(unit) ?? [];
  const { unavailable, software, ...others } = exitCodes;
  // 64: an invalid command line.
  assert.deepEqual(prevented.split(' ').map(Number), [64, ...Object.values(others)].sort());
});

const canBoot = runCount(0, 1) === 1 && process.getuid?.() === 0 && existsSync('/lib/systemd/systemd');

test('a real systemd runs the server with all restrictions, and restarts it after a crash but not after a wrong variable', {
  skip: canBoot ? false : 'boots systemd, and needs root: SOKU_TEST_LONG=yes',
  timeout: testTimeoutMs,
}, async (t) => {
  const withNode = assemble(['--node']);
  const port = await freePort();
  const ready = `until curl -sfo /dev/null http://127.0.0.1:${port}/readyz; do sleep 0.2; done`;
  const [operate = ''] = codeBlocks('docs/operations/deploy.md', 'sh').filter((block) =>
    block.startsWith('systemd-run'),
  );
  const commands = [
    ready,
    'process=$(systemctl show -P MainPID soku)',
    'grep -E "^(Uid|CapEff|NoNewPrivs|Seccomp):" /proc/$process/status',
    operate,
    'kill -9 $process; until [ "$(systemctl show -P NRestarts soku)" = 1 ]; do sleep 0.2; done',
    ready,
    'systemctl stop soku; systemctl show soku -p ExecMainStatus -p Result',
    'echo PORT=none >> /etc/soku/soku.env; systemctl start soku',
    'until systemctl is-failed soku; do sleep 0.2; done; systemctl show soku -p ExecMainStatus -p NRestarts',
  ];
  const script = join(root, 'test/deploy/boot-systemd.sh');
  const args = [
    script,
    directory,
    withNode,
    join(root, 'deploy/soku.service'),
    String(port),
    commands.join('\n'),
  ];
  const booted = spawn('sh', args, { stdio: 'ignore', detached: true });
  t.after(async () => {
    // The first process of the namespaces ends with it.
    booted.kill('SIGKILL');
    rmSync(dirname(withNode), { recursive: true, force: true });
  });
  const file = join(directory, 'report');
  const report = await eventually(
    async () => (existsSync(file) ? readFileSync(file, 'utf8') : ''),
    (text) => text !== '',
  );
  assert.match(report, /^Uid:(\s+[1-9]\d+){4}$/m, report);
  assert.match(report, /^CapEff:\s+0+$/m);
  assert.match(report, /^NoNewPrivs:\s+1$/m);
  assert.match(report, /^Seccomp:\s+2$/m);
  assert.match(report, /^Backed up 0 keys/m);
  assert.match(report, /^Result=success\nExecMainStatus=0$/m);
  assert.match(report, /failed\nNRestarts=0\nExecMainStatus=78\n$/);
});
