/** The help page "Protect an API" shows the examples that the tests of docs/ run, with the URL of this deployment. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { codeBlocks } from '../support/markdown.ts';
import { root } from '../support/server.ts';
import { waitUntilLoaded } from './accessibility.ts';
import { Dashboard } from './dashboard.ts';
import { evaluate, expectPath, expectText, readClipboard, tabTo, waitUntil } from './expect.ts';
import { jumpInput } from './jump-pages.ts';
import { heading } from './key-pages.ts';

const path = '/help/protect-an-api';
const dashboard = await Dashboard.inNewWorkspace();
const { port } = new URL(dashboard.server.url);

/** Every fenced block of the pages whose examples are tested. */
const documented = ['docs/gateway.md', ...globSync('docs/protect-*.md', { cwd: root })].flatMap((page) =>
  Array.from(readFileSync(join(root, page), 'utf8').matchAll(/^```.*\n([\s\S]*?)^```$/gm), ([, code = '']) =>
    code.trimEnd(),
  ),
);

/** The code of every tab and block of the page, in order. */
async function codeOf(page: Page): Promise<string[]> {
  await waitUntilLoaded(page);
  const shown: string[] = [];
  for (const tab of await page.getByRole('tab').all()) {
    await tab.click();
    shown.push(...(await page.locator('pre').allTextContents()));
  }
  return [...new Set(shown)];
}

test('every example is the one in docs/, with the URL of this deployment', async (t) => {
  const page = await dashboard.open(t, path, { as: null });
  const shown = await codeOf(page);
  assert.ok(shown.length >= 14, `${shown.length} examples`);
  let placed = 0;
  for (const code of shown) {
    const original = code
      .replaceAll(`localhost:${port}`, 'localhost:3000')
      .replaceAll(`127.0.0.1:${port}`, '127.0.0.1:3000')
      .replaceAll(`port_value: ${port}`, 'port_value: 3000');
    if (original !== code) placed += 1;
    assert.ok(!code.includes('3000'), `another address is left in:\n${code}`);
    assert.ok(documented.includes(original), `not in docs/:\n${code}`);
  }
  assert.equal(placed, 6, 'nginx, HAProxy, Caddy, Envoy, the command and the back end name this deployment');
});

test('docs/ contains the same tested back end as the page', () => {
  assert.deepEqual(codeBlocks('docs/protect-from-a-back-end.md', 'js file=back-end.mjs'), [
    readFileSync(join(root, 'examples/back-end/back-end.mjs'), 'utf8'),
  ]);
});

test('each example can be copied', async (t) => {
  const page = await dashboard.open(t, path);
  await page.getByRole('button', { name: 'Copy configuration of nginx' }).click();
  await expectText(page.locator('#nginx').getByRole('status').first(), /^Copied: configuration of nginx$/);
  assert.equal(await readClipboard(page), await page.locator('#nginx pre').first().textContent());
});

test('the overview without keys links to the page', async (t) => {
  const page = await dashboard.open(t, path);
  await page.route('**/v1/api-keys?**', (route) => route.fulfill({ json: { data: [], nextCursor: null } }));
  await page.goto(dashboard.server.url);
  await page.getByRole('link', { name: 'All ways to protect an API' }).click();
  await expectPath(page, path);
  await expectText(heading(page), /^Protect an API$/);
});

test('the jump dialog finds the page by the name of a proxy', async (t) => {
  const page = await dashboard.open(t, '/settings/account');
  await waitUntilLoaded(page);
  await page.keyboard.press('ControlOrMeta+K');
  await jumpInput(page).fill('haproxy');
  await page.getByRole('option', { name: /Protect an API/ }).click();
  await expectPath(page, path);
});

const contents = (page: Page) => page.getByRole('navigation', { name: 'On this page' });
const current = (page: Page) => contents(page).locator('a[aria-current="location"]:visible');

/** Where a heading is, from the top of the window. */
const topOf = (page: Page, id: string) =>
  evaluate(page, z.number(), `document.getElementById('${id}-title').getBoundingClientRect().top`);

test('the contents list every section, mark the current one, and stay beside the text', async (t) => {
  const page = await dashboard.open(t, path);
  await waitUntilLoaded(page);
  const listed = await contents(page).locator('a:visible').allTextContents();
  assert.deepEqual(listed, await page.locator('main h2').allTextContents());
  await tabTo(contents(page).locator('a:visible').filter({ hasText: 'Caddy' }));
  await page.keyboard.press('Enter');
  await expectPath(page, `${path}#caddy`);
  await expectText(current(page), /^Caddy$/);
  assert.ok((await topOf(page, 'caddy')) >= 0);
  const list = await page.locator('.contents__side').boundingBox();
  assert.equal(list?.y, 0, 'the contents are on the screen');
  await page.evaluate('scrollTo(0, 0)');
  await waitUntil(
    () => current(page).count(),
    (count) => count === 0,
    'nothing is current at the top of the page',
  );
});

test('on a phone, the contents are folded, and the heading stays visible under the bar', async (t) => {
  const page = await dashboard.open(t, path, { viewport: { width: 390, height: 800 } });
  await waitUntilLoaded(page);
  assert.equal(await contents(page).getByRole('link').count(), 0, 'folded');
  const folded = await contents(page).boundingBox();
  const title = await page.getByRole('heading', { level: 1 }).boundingBox();
  assert.ok(folded && title && folded.y > title.y + title.height, 'below the title');
  await contents(page).locator('summary').click();
  await contents(page).getByRole('link', { name: 'Envoy' }).click();
  await expectPath(page, `${path}#envoy`);
  assert.equal(await contents(page).getByRole('link').count(), 0, 'folded again');
  const bar = await page.getByRole('banner').boundingBox();
  await waitUntil(
    () => topOf(page, 'envoy'),
    (top) => top >= (bar?.height ?? 0) && top < 200,
    'the heading is below the bar',
  );
});

test('on the smallest screen, the tab of the current page is visible', async (t) => {
  const page = await dashboard.open(t, '/help/authentication', { viewport: { width: 320, height: 640 } });
  await waitUntilLoaded(page);
  const tabs = page.getByRole('navigation', { name: 'Help' });
  for (const name of ['Protect an API', 'Troubleshooting', 'Managing keys']) {
    await tabs.getByRole('link', { name }).click();
    await page.locator('.tabs [aria-current]').filter({ hasText: name }).waitFor();
    const box = await tabs.getByRole('link', { name }).boundingBox();
    assert.ok(box && box.x >= 0 && box.x + box.width <= 320, `${name} at ${box?.x}`);
  }
});

test('an address with a section opens at its heading', async (t) => {
  const page = await dashboard.open(t, `${path}#haproxy`);
  await waitUntil(
    () => topOf(page, 'haproxy').catch(() => -1),
    (top) => top >= 0 && top < 200,
    'the heading is at the top',
  );
});
