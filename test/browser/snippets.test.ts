/** M11: runs the snippets from the pages exactly as shown. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { Dashboard } from './dashboard.ts';
import { expectText, readClipboard } from './expect.ts';
import * as keys from './key-pages.ts';

const dashboard = await Dashboard.inNewWorkspace();
const folder = mkdtempSync(join(tmpdir(), 'soku-snippets-'));
after(() => rmSync(folder, { recursive: true }));

/** Why the program is not available on this machine, or false. */
function whyMissing(program: string, ...probe: string[]): string | false {
  return spawnSync(program, probe).status === 0 ? false : `"${program} ${probe.join(' ')}" fails here`;
}

const languages = {
  curl: { command: 'bash', args: ['-euo', 'pipefail'], skip: whyMissing('curl', '--version') },
  'Node.js': { command: process.execPath, args: [], skip: false },
  Python: { command: 'python3', args: [], skip: whyMissing('python3', '-c', 'import requests') },
} as const;

/** Runs a snippet with the key in the environment. */
async function run(language: keyof typeof languages, code: string, apiKey: string): Promise<string> {
  const { command, args } = languages[language];
  const file = join(folder, `snippet-${language}.mjs`);
  writeFileSync(file, code);
  const child = spawn(command, [...args, file], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, SOKU_API_KEY: apiKey },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  const [status] = await once(child, 'close');
  assert.equal(status, 0, output);
  return output;
}

/** Copies the snippet of a tab and checks that the clipboard contains the code that is shown. */
async function copySnippet(page: Page, language: string): Promise<string> {
  await page.getByRole('tab', { name: language, exact: true }).click();
  const panel = page.getByRole('tabpanel').first();
  await keys.copySnippet(page).click();
  await expectText(keys.snippetStatus(page), new RegExp(`^Copied: ${language}$`));
  const copied = await readClipboard(page);
  assert.equal(await panel.locator('pre').textContent(), copied);
  return copied;
}

for (const language of ['curl', 'Node.js', 'Python'] as const) {
  const { skip } = languages[language];

  test(`the ${language} snippet next to a new key works with that key`, { skip }, async (t) => {
    const page = await dashboard.open(t, '/settings/api');
    const apiKey = await keys.generate(page, `Snippet in ${language}`);
    const code = await copySnippet(page, language);
    assert.ok(!code.includes(apiKey), 'the key is not in the code');
    assert.match(await run(language, code, apiKey), new RegExp(`Snippet in ${language}`));
  });

  test(`the ${language} snippet in the help works with the key in the environment`, { skip }, async (t) => {
    const { apiKey } = await dashboard.ada.createKey({ name: `Help in ${language}` });
    const page = await dashboard.open(t, '/help/authentication', { as: null });
    const code = await copySnippet(page, language);
    assert.match(await run(language, code, apiKey), new RegExp(`Help in ${language}`));
  });
}

test('the snippets on the overview without keys are the same as in the help', async (t) => {
  const fresh = await Dashboard.inNewWorkspace();
  const page = await fresh.open(t, '/');
  const help = await dashboard.open(t, '/help/authentication', { as: null });
  for (const language of ['curl', 'Node.js', 'Python'] as const) {
    const code = await copySnippet(page, language);
    assert.equal(code.replaceAll(fresh.server.url, dashboard.server.url), await copySnippet(help, language));
  }
});

test('Node.js can read the line for .env', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  const apiKey = await keys.generate(page, 'From a file');
  await keys.copySnippet(page).click();
  await expectText(keys.snippetStatus(page), /^Copied/);
  const file = join(folder, '.env');
  writeFileSync(file, `${await readClipboard(page)}\n`);
  const program = ['--env-file', file, '-p', 'process.env.SOKU_API_KEY'];
  const { stdout } = spawnSync(process.execPath, program, {
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  assert.equal(stdout.trim(), apiKey);
});
