/** The gateway documentation works as written. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { codeBlocks } from '../support/markdown.ts';
import { openSession } from '../support/session.ts';
import { startGateway, startRawUpstream } from './gateway.ts';

const run = promisify(execFile);
const page = 'docs/gateway.md';
const upstream = await startRawUpstream();
const { server, gateway } = await startGateway(upstream.url);
const { apiKey } = await (await openSession(server)).createKey({ name: 'Documentation' });
after(async () => {
  await server.stop();
  upstream.stop();
});

/** The commands need curl. Without it, the test fails in CI and is skipped on a developer's machine. */
const hasCurl = process.env.CI !== undefined || spawnSync('curl', ['--version']).status === 0;

test('the documented commands work', {
  skip: hasCurl ? false : 'curl is not installed',
}, async () => {
  const commands = codeBlocks(page, 'sh run');
  assert.equal(commands.length, 2);
  for (const command of commands) {
    const adapted = command.replaceAll('http://localhost:3001', gateway);
    assert.notEqual(adapted, command);
    // Not spawnSync, because the upstream responds from this process.
    await run('bash', ['-euo', 'pipefail', '-c', adapted], {
      env: { PATH: process.env.PATH, SOKU_API_KEY: apiKey },
    });
  }
  assert.equal(upstream.requests.length, 1);
  assert.match(upstream.requests[0] ?? '', /^GET \/orders\?page=2 HTTP\/1.1\r\n/);
});
