/** npm starts the product, so it runs between a service manager and the server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort, newDataDir } from '../support/server.ts';
import { testTimeoutMs } from '../support/test-timeout.ts';

test('a SIGTERM to npm alone stops the server', {
  timeout: testTimeoutMs,
}, async (t) => {
  const dataDir = newDataDir();
  const npm = spawn('npm', ['start'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PORT: String(await freePort()),
      SOKU_DATA_DIR: dataDir,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    // A separate process group, so that a server that outlives npm can be stopped after the test.
    detached: true,
  });
  t.after(() => killGroup(npm.pid));
  let output = '';
  npm.stdout.setEncoding('utf8');
  for await (const text of npm.stdout) {
    output += text;
    // Keep reading to the end of the stream, which comes when the last process that writes to it has ended.
    if (output.includes('Set up Soku') && !npm.killed) npm.kill('SIGTERM');
  }
  if (npm.exitCode === null && npm.signalCode === null) await once(npm, 'exit');
  rmSync(dataDir, { recursive: true, force: true });
  assert.match(output, /SIGTERM: finishing the open requests/);
  assert.match(output, /Stopped/);
});

/** Kills the remaining processes of a group; usually there are none. */
function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
