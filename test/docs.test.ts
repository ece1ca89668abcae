import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { errorSchema } from '@soku/contract/errors';
import { z } from 'zod';
import { withinOneMinute } from './support/limits.ts';
import { codeBlocks } from './support/markdown.ts';
import { bearer, call, type HttpResponse } from './support/person.ts';
import { freePort, startServer } from './support/server.ts';
import { openSession } from './support/session.ts';
import { testTimeoutMs } from './support/test-timeout.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const server = await startServer();
const ada = await openSession(server);
const { apiKey, key } = await ada.createKey({ name: 'Documentation', rateLimit: 1000 });
const manager = await ada.createKey({ name: 'Manager', scopes: ['keys:write'] });
const verifier = await ada.createKey({ name: 'Back end', scopes: ['keys:verify'] });
after(() => server.stop());

/** The commands need curl. Without it, the tests fail in CI and are skipped on a developer's machine. */
const hasCurl = process.env.CI !== undefined || spawnSync('curl', ['--version']).status === 0;
const skip = hasCurl ? false : 'curl is not installed';

for (const page of [
  'README.md',
  'docs/protect-an-api.md',
  'docs/protect-from-a-back-end.md',
  'docs/limits.md',
  'docs/restrictions.md',
]) {
  test(`the commands in ${page} succeed`, { skip }, () => {
    const commands = codeBlocks(page, 'sh run');
    assert.ok(commands.length > 0);
    for (const command of commands) {
      const adapted = command.replaceAll('http://localhost:3000', server.url);
      const result = spawnSync('bash', ['-euo', 'pipefail', '-c', adapted], {
        encoding: 'utf8',
        env: {
          PATH: process.env.PATH,
          SOKU_API_KEY: apiKey,
          SOKU_VERIFY_KEY: verifier.apiKey,
          SOKU_MANAGE_KEY: manager.apiKey,
        },
      });
      assert.equal(result.status, 0, `${command}\n${result.stdout}\n${result.stderr}`);
    }
  });
}

/** Runs the program shown on a page and returns its address. */
async function startBackEnd(page: string, t: TestContext, soku = server.url): Promise<string> {
  const [program = ''] = codeBlocks(page, 'js file=back-end.mjs');
  const folder = mkdtempSync(join(tmpdir(), 'soku-docs-'));
  const file = join(folder, 'back-end.mjs');
  writeFileSync(file, program);
  const port = await freePort();
  const backEnd = spawn(process.execPath, [file], {
    env: { PATH: process.env.PATH, PORT: String(port), SOKU_URL: soku, SOKU_VERIFY_KEY: verifier.apiKey },
    stdio: 'inherit',
  });
  t.after(async () => {
    backEnd.kill();
    await once(backEnd, 'exit');
    rmSync(folder, { recursive: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await untilListening(url);
  return url;
}

test('the back end of docs/protect-from-a-back-end.md accepts a valid key, forwards rejections, and fails closed', async (t) => {
  const url = await startBackEnd('docs/protect-from-a-back-end.md', t);
  const send = (value: string, to = url) => call(to, { headers: { 'x-legacy-key': value } });
  const codeOf = (response: HttpResponse) =>
    z.object({ error: z.object({ code: z.string() }) }).parse(response.body).error.code;
  const once = await withinOneMinute(async () => {
    const created = await ada.createKey({ name: 'Once', rateLimit: 1 });
    const accepted = await send(created.apiKey);
    assert.deepEqual([accepted.status, accepted.text], [200, 'Hello, Once\n']);
    const limited = await send(created.apiKey);
    assert.deepEqual([limited.status, codeOf(limited)], [429, 'rate_limited']);
    return created;
  });
  await ada.revoke(once.key.id);
  const revoked = await send(once.apiKey);
  assert.deepEqual([revoked.status, codeOf(revoked)], [401, 'revoked_key']);
  const disabled = await ada.createKey({ name: 'Disabled' });
  await ada.call('PATCH', `/v1/api-keys/${disabled.key.id}`, { disabled: true });
  const rejected = await send(disabled.apiKey);
  assert.deepEqual([rejected.status, codeOf(rejected)], [403, 'disabled_key']);
  const missing = await call(url);
  assert.deepEqual([missing.status, codeOf(missing)], [401, 'malformed_key']);

  const unreachable = `http://127.0.0.1:${await freePort()}`;
  const withoutSoku = await startBackEnd('docs/protect-from-a-back-end.md', t, unreachable);
  const unverified = await send(apiKey, withoutSoku);
  assert.deepEqual([unverified.status, codeOf(unverified)], [503, 'verification_unavailable']);
});

test('the back end of docs/protect-an-api.md accepts a valid key and forwards rejections', async (t) => {
  const url = await startBackEnd('docs/protect-an-api.md', t);

  const accepted = await call(url, { headers: bearer(apiKey) });
  assert.deepEqual([accepted.status, accepted.text], [200, 'Hello, Documentation\n']);
  const inQuery = await call(`${url}/?api_key=${apiKey}`);
  assert.equal(errorSchema.parse(inQuery.body).error.code, 'key_in_query');
  await ada.revoke(key.id);
  const revoked = await call(url, { headers: bearer(apiKey) });
  assert.equal(revoked.status, 401);
  assert.equal(errorSchema.parse(revoked.body).error.code, 'revoked_key');
  assert.match(revoked.headers.get('www-authenticate') ?? '', /error="invalid_token"/);
});

test('the generated documentation is up to date', () => {
  const result = spawnSync(process.execPath, ['scripts/docs.ts', '--check'], { cwd: root, encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
});

/** Waits until a process that was just started accepts connections. */
async function untilListening(url: string): Promise<void> {
  const deadline = performance.now() + testTimeoutMs;
  for (;;) {
    try {
      await fetch(url);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}
