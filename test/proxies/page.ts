import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { blocks } from '../support/markdown.ts';
import type { Recipe } from './proxy.ts';
import type { Scene } from './scene.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The info string of a file in a page. */
const languages: Record<string, string> = {
  conf: 'nginx',
  cfg: 'haproxy',
  lua: 'lua',
  Caddyfile: 'caddyfile',
};

/** The page shows what runs here, and its commands do what they say. */
export function testPage(recipe: Recipe, scene: () => Scene): void {
  test(`${recipe.page} shows the files that are tested here, as they are`, () => {
    for (const example of recipe.examples) {
      const language = languages[example.split(/[./]/).at(-1) ?? ''];
      const shown = blocks(recipe.page, `${language} file=${example}`);
      assert.deepEqual(shown, [readFileSync(join(root, example), 'utf8')], example);
    }
  });

  test(`the commands of ${recipe.page} do what they say`, async () => {
    const { proxy, ada } = scene();
    const { apiKey } = await ada.makeKey({ name: 'Documentation' });
    const commands = blocks(recipe.page, 'sh run');
    assert.ok(commands.length >= 2);
    for (const command of commands) {
      const own = command.replaceAll('http://localhost:8080', proxy.url);
      const ran = await run(own, { PATH: process.env.PATH, SOKU_API_KEY: apiKey });
      assert.equal(ran.status, 0, `${command}\n${ran.output}`);
    }
  });
}

/** Not spawnSync: the API behind the proxy is in this process, and has to answer meanwhile. */
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
