import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assertProblem } from '../support/contract.ts';
import type { Program } from '../support/debian.ts';
import type { Fields } from '../support/http.ts';
import { codeBlocks } from '../support/markdown.ts';
import type { ProxyFixture } from './fixture.ts';
import type { Recipe } from './proxy.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The info string of a file in a page. */
const languages: Record<string, string> = {
  'nginx/soku.conf': 'nginx',
  'apache/soku.conf': 'apache',
  'haproxy/haproxy.cfg': 'haproxy',
  'haproxy/soku.lua': 'lua',
  'apache/soku.lua': 'lua',
  'caddy/Caddyfile': 'caddyfile',
  'varnish/soku.vcl': 'vcl',
};

function languageOf(example = ''): string | undefined {
  return languages[example.replace('examples/', '')];
}

/** Spellings that some proxies treat as /healthz. The API must then receive exactly /healthz. */
const spellings = [
  '//healthz',
  '/healthz/',
  '/HEALTHZ',
  '/%68ealthz',
  '/orders/../healthz',
  '/orders/..%2fhealthz',
  '/orders/%2e%2e/healthz',
];

/** The page shows the tested files, and its commands and suggested changes work. */
export function testPage(recipe: Recipe, program: Program, fixture: () => ProxyFixture): void {
  test(`${recipe.page} shows the tested files unchanged`, () => {
    for (const example of recipe.examples) {
      const shown = codeBlocks(recipe.page, `${languageOf(example)} file=${example}`);
      assert.deepEqual(shown, [readFileSync(join(root, example), 'utf8')], example);
    }
  });

  test(`the commands of ${recipe.page} work`, async () => {
    const { proxy, ada } = fixture();
    const { apiKey } = await ada.createKey({ name: 'Documentation' });
    const commands = codeBlocks(recipe.page, 'sh run');
    assert.ok(commands.length >= 2);
    for (const command of commands) {
      const adapted = command.replaceAll('http://localhost:8080', proxy.url);
      const ran = await run(adapted, { PATH: process.env.PATH, SOKU_API_KEY: apiKey });
      assert.equal(ran.status, 0, `${command}\n${ran.output}`);
    }
  });

  test(`the change in ${recipe.page} makes exactly one path public`, async (t) => {
    const [lines = ''] = codeBlocks(recipe.page, `${languageOf(recipe.examples[0])} open`);
    const edit = (text: string): string => text.replace(recipe.openBefore, () => lines + recipe.openBefore);
    const other = await fixture().startSecondProxy(recipe, program, edit);
    t.after(() => other.stop());
    const fields = [['X-Soku-Key-Id', 'forged'] as const];
    assert.equal((await other.send({ path: '/healthz', fields })).status, 200);
    assert.equal(other.api.last.url, '/healthz');
    assert.ok(!JSON.stringify(other.api.last).includes('forged'));
    for (const path of ['/', '/healthz/x', '/healthz.json', '/orders?/healthz', '/healthz/../orders']) {
      assertProblem(await other.send({ path }), 'missing_authorization');
    }
    for (const path of spellings) {
      const response = await other.send({ path });
      if (response.status === 200) assert.equal(decodeURIComponent(other.api.last.url), '/healthz', path);
      else assertProblem(response, 'missing_authorization');
    }
  });
}

/** The scopes that the page requires are required of each request, whatever the client sends. */
export function testRequiredScopes(recipe: Recipe, program: Program, fixture: () => ProxyFixture): void {
  test(`the change in ${recipe.page} requires a scope`, async (t) => {
    const [lines = ''] = codeBlocks(recipe.page, `${languageOf(recipe.examples[0])} scopes`);
    const edit = (text: string): string =>
      text.replace(recipe.scopesBefore, () => lines + recipe.scopesBefore);
    const other = await fixture().startSecondProxy(recipe, program, edit);
    t.after(() => other.stop());
    const { ada } = fixture();
    const scopes = [{ name: 'files:read' }, { name: 'orders:read' }];
    assert.equal((await ada.call('PUT', '/v1/scopes', { scopes })).status, 200);
    const { apiKey: reader } = await ada.createKey({ name: 'reader', scopes: ['files:*'] });
    const { apiKey: foreign } = await ada.createKey({ name: 'other', scopes: ['orders:read'] });
    for (const fields of [[], [['X-Soku-Require-Scopes', 'orders:read']]] satisfies Fields[]) {
      const path = '/orders?scope=orders:read&environment=test&workspace=ws_other';
      assert.equal((await other.send({ key: reader, path, fields })).status, 200);
      const names = other.api.last.fields.map(([name]) => name.toLowerCase());
      assert.ok(!names.includes('x-soku-require-scopes'), String(names));
      const rejected = await other.send({ method: 'POST', key: foreign, path, fields });
      assert.match(assertProblem(rejected, 'insufficient_scope').message, /files:read/);
      assert.match(rejected.headers.get('www-authenticate') ?? '', /, scope="files:read"$/);
    }
    assert.equal(other.api.received.length, 2);
  });
}

/** Does not use spawnSync, because the API behind the proxy runs in this process and must respond. */
async function run(
  command: string,
  env: NodeJS.ProcessEnv,
): Promise<{ status: number | null; output: string }> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', command], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [status] = await once(child, 'close');
  return { status, output };
}
