/** The overview without keys ends with ways to protect an API. They are run exactly as shown, but for the ports. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { errorSchema } from '@soku/contract/errors';
import { RecordedServer, valuesOf } from '../proxies/recorded-server.ts';
import { debianProgram } from '../support/debian.ts';
import { bearer, call } from '../support/person.ts';
import { freePort } from '../support/server.ts';
import { Dashboard } from './dashboard.ts';
import { expectText, waitUntil } from './expect.ts';

const dashboard = await Dashboard.shared();
const folder = mkdtempSync(join(tmpdir(), 'soku-protection-'));
after(() => rmSync(folder, { recursive: true }));

/** The code of a tab, as the owner of a workspace without keys sees it. */
async function snippet(t: TestContext, name: string): Promise<string> {
  const page = await dashboard.open(t, '/healthz');
  await page.route('**/v1/api-keys?**', (route) => route.fulfill({ json: { data: [], nextCursor: null } }));
  await page.goto(dashboard.server.url);
  const tabs = page.getByRole('tablist', { name: 'Protect your API' });
  await tabs.getByRole('tab', { name, exact: true }).click();
  await expectText(tabs.getByRole('tab', { selected: true }), new RegExp(`^${name}$`));
  return (await page.locator('.code-tabs').last().locator('pre').textContent()) ?? '';
}

async function listens(port: number, child: ChildProcess): Promise<void> {
  await waitUntil(
    async () => {
      const socket = connect(port, '127.0.0.1');
      const opened = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      socket.destroy();
      return opened || child.exitCode !== null;
    },
    (done) => done,
    'the program listens',
  );
}

async function run(
  t: TestContext,
  port: number,
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string> {
  const child = spawn(command, args, { stdio: 'inherit', env: { PATH: process.env.PATH, ...env } });
  t.after(async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, 'close');
  });
  await listens(port, child);
  return `http://127.0.0.1:${port}/orders`;
}

const nginx = debianProgram('nginx');

test('the nginx snippet forwards requests with a valid key, without the key, and no others', {
  skip: typeof nginx === 'string' ? nginx : false,
}, async (t) => {
  if (typeof nginx === 'string') return;
  const code = await snippet(t, 'nginx');
  assert.ok(code.includes(`${dashboard.server.url}/v1/verify`), 'the URL of this deployment');
  const api = await RecordedServer.start();
  t.after(() => api.stop());
  const port = await freePort();
  const places = ['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; pid ${folder}/pid; error_log stderr crit; events {}
    http { access_log off; ${places.join(' ')} server { listen 127.0.0.1:${port}; ${code.replace('127.0.0.1:4000', `127.0.0.1:${api.port}`)} } }`,
  );
  const url = await run(t, port, nginx.file, ['-e', 'stderr', '-c', file], nginx.env);
  const { apiKey, key } = await dashboard.ada.createKey({ name: 'Behind nginx' });

  assert.equal((await call(url)).status, 401);
  assert.equal((await call(url, { headers: bearer(`${apiKey.slice(0, -1)}?`) })).status, 401);
  assert.equal(api.received.length, 0);
  const headers = { ...bearer(apiKey), 'x-soku-key-id': 'forged' };
  assert.equal((await call(url, { headers })).status, 200);
  assert.deepEqual(valuesOf(api.last, 'x-soku-key-id'), [key.id]);
  assert.deepEqual(valuesOf(api.last, 'authorization'), []);
  await dashboard.ada.revoke(key.id);
  assert.equal((await call(url, { headers })).status, 401);
  assert.equal(api.received.length, 1);
});

test('the back end accepts a valid key and returns the reason to others', async (t) => {
  const port = await freePort();
  const file = join(folder, 'back-end.mjs');
  writeFileSync(file, (await snippet(t, 'Back end')).replace('4000', String(port)));
  const url = await run(t, port, process.execPath, [file]);
  const { apiKey, key } = await dashboard.ada.createKey({ name: 'Into a back end' });
  const codeOf = async (headers: Record<string, string>) => {
    const response = await call(url, { headers });
    assert.equal(response.status, 401);
    return errorSchema.parse(response.body).error.code;
  };
  assert.equal(await codeOf({}), 'missing_authorization');
  assert.equal(await codeOf(bearer('sk_live_short')), 'malformed_key');
  assert.equal((await call(url, { headers: bearer(apiKey) })).text, `Hello, ${key.id}\n`);
  await dashboard.ada.revoke(key.id);
  assert.equal(await codeOf(bearer(apiKey)), 'revoked_key');
});

test('the gateway snippet names the host of this deployment', async (t) => {
  assert.match(await snippet(t, 'Gateway'), /curl http:\/\/(localhost|127\.0\.0\.1):3001\/ -H/);
});
