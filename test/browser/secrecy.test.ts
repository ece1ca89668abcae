/** M4: after the dialog is closed or the user leaves the page, the full key is not stored anywhere. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { generateKey } from '@soku/key';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { readFiles } from '../support/read-files.ts';
import { Dashboard, networkErrorMessage } from './dashboard.ts';
import { evaluate, expectHidden, expectPath, expectText } from './expect.ts';
import * as keys from './key-pages.ts';
import {
  expectKeyNotInBrowser,
  expectKeyNotInPage,
  placesInPageScript,
  randomPart,
  recordTraffic,
  takeHeapSnapshot,
} from './leaks.ts';

const dashboard = await Dashboard.inNewWorkspace();

/** Creates a key and uses every function of the dialog. */
async function createAndUse(t: TestContext, name: string) {
  const page = await dashboard.open(t, '/settings/api');
  const recorded = recordTraffic(page.context());
  const apiKey = await keys.generate(page, name);
  await keys.copyButton(page).click();
  await page.getByRole('button', { name: 'Test key' }).click();
  await expectText(keys.dialog(page), /200: the key works/);
  await keys.copySnippet(page).click();
  await expectText(keys.snippetStatus(page), /^Copied/);
  return { page, recorded, apiKey };
}

test('while the key is shown, the checks find it in the memory and the fields', async (t) => {
  const { page, apiKey } = await createAndUse(t, 'Shown');
  const places = await evaluate(page, z.record(z.string(), z.string()), placesInPageScript);
  assert.ok(places.fields?.includes(randomPart(apiKey)));
  assert.ok((await takeHeapSnapshot(page)).includes(randomPart(apiKey)));
});

test('M4: after Done, a reload, Back and Forward, the full key is nowhere in the browser', async (t) => {
  const { page, recorded, apiKey } = await createAndUse(t, 'Nowhere');
  await keys.doneButton(page).click();
  await expectHidden(keys.dialog(page));
  await keys.row(page, 'Nowhere').waitFor();
  await expectKeyNotInBrowser(page, apiKey, 'after Done');

  await page.getByRole('link', { name: 'Nowhere', exact: true }).click();
  await expectText(keys.heading(page), /^Nowhere$/);
  await expectKeyNotInBrowser(page, apiKey, 'on the page of the key');
  await page.goBack();
  await page.goForward();
  await page.goBack();
  await expectPath(page, '/settings/api');
  await page.reload();
  await keys.row(page, 'Nowhere').waitFor();
  await expectKeyNotInPage(page, apiKey, 'after a reload');
  await page.goto(`${dashboard.server.url}/settings/api?panel=generate`);
  await keys.nameField(page).waitFor();
  await expectKeyNotInPage(page, apiKey, 'in the dialog that was opened again');

  const leaks = (await recorded.responses()).filter(({ text }) => text.includes(randomPart(apiKey)));
  assert.deepEqual(
    leaks.map(({ what }) => what),
    ['POST /v1/api-keys'],
    'only the response that created the key contains it',
  );
  assert.deepEqual(
    recorded.texts.filter((text) => text.includes(randomPart(apiKey))),
    [],
    'no URL, request body or console message contains it',
  );
});

test('M4: after leaving for another site and going back, the key is not shown', async (t) => {
  const { page, apiKey } = await createAndUse(t, 'Left for another site');
  await page.goto('about:blank');
  await page.goBack();
  await keys.row(page, 'Left for another site').waitFor();
  await expectKeyNotInBrowser(page, apiKey, 'after coming back');
});

test('M4: a page drops the key when it enters the back/forward cache', async (t) => {
  const { page, apiKey } = await createAndUse(t, 'Kept for Back');
  await page.evaluate(`window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))`);
  await expectKeyNotInPage(page, apiKey, 'after pagehide');
});

test('M4: the response with the key must not be stored', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  const response = page.waitForResponse((received) => received.request().method() === 'POST');
  await keys.generate(page, 'Not stored');
  const headers = await (await response).allHeaders();
  assert.equal(headers['cache-control'], 'no-store');
});

test('M4, M6: no file in the data directory and no log line contains the key', async (t) => {
  const { page, apiKey } = await createAndUse(t, 'On no disk');
  await keys.doneButton(page).click();
  await expectHidden(keys.dialog(page));
  // With the emails of the folder outbox.
  const files = readFiles(dashboard.server.dataDir);
  assert.ok(files.some(({ path }) => path.endsWith('soku.db')));
  assert.deepEqual(
    files.filter(({ content }) => content.includes(randomPart(apiKey))).map(({ path }) => path),
    [],
  );
  assert.ok(!dashboard.server.output.includes(randomPart(apiKey)));
});

const hashOf = (apiKey: string) => createHash('sha256').update(apiKey).digest('hex');
const searchField = (page: Page) => page.getByRole('searchbox', { name: 'Search keys' });
const note = (page: Page) => page.getByRole('status').filter({ hasText: 'fingerprint' });

for (const [how, around] of [
  ['alone', (apiKey: string) => apiKey],
  ['in a shell command', (apiKey: string) => `export SOKU_API_KEY="${apiKey}"\n`],
] as const) {
  test(`a key that is pasted into the search ${how} is found by its hash, even if revoked, and is not sent`, async (t) => {
    const { apiKey, key } = await dashboard.ada.createKey({ name: `Leaked ${how}` });
    await dashboard.ada.revoke(key.id);
    const page = await dashboard.open(t, '/settings/api?q=Leaked');
    const recorded = recordTraffic(page.context());
    await page.evaluate((text) => Reflect.get(navigator, 'clipboard').writeText(text), around(apiKey));
    await searchField(page).focus();
    await page.keyboard.press('ControlOrMeta+V');
    await keys.row(page, `Leaked ${how}`).waitFor();
    await expectPath(page, `/settings/api?hash=${hashOf(apiKey)}`);
    assert.equal(await searchField(page).inputValue(), '');
    await expectText(note(page), /^Found by its fingerprint; the key itself was not sent\.$/);
    await page.keyboard.press('ControlOrMeta+Z');
    await page.evaluate(`navigator.clipboard.writeText('')`);
    await expectKeyNotInBrowser(page, apiKey, 'after the search');
    await recorded.responses();
    assert.deepEqual(
      recorded.texts.filter((text) => text.includes(randomPart(apiKey))),
      [],
    );
    await page.getByRole('link', { name: 'Clear search' }).click();
    await expectPath(page, '/settings/api');
  });
}

test('a key that is typed into the search is not sent, and of several keys the first is used', async (t) => {
  const { apiKey } = await dashboard.ada.createKey({ name: 'Typed' });
  const page = await dashboard.open(t, '/settings/api');
  const recorded = recordTraffic(page.context());
  await searchField(page).fill(apiKey);
  await keys.row(page, 'Typed').waitFor();
  await expectPath(page, `/settings/api?hash=${hashOf(apiKey)}`);
  await searchField(page).fill(`${apiKey} ${generateKey()}`);
  await expectText(
    page.getByRole('status').filter({ hasText: 'fingerprint' }),
    /contains 2 keys\. This is the first one/,
  );
  const stray = generateKey();
  await searchField(page).fill(stray.slice(8));
  await page.getByRole('heading', { name: 'No keys found' }).waitFor();
  await expectText(note(page), /^Searched by its fingerprint/);
  await expectPath(page, `/settings/api?hash=${hashOf(stray)}`);
  await searchField(page).fill(apiKey.slice(0, -1));
  await expectPath(page, `/settings/api?q=${apiKey.slice(0, 11)}`);
  await keys.row(page, 'Typed').waitFor();
  await expectText(page.getByRole('main'), /incomplete or mistyped, so it was not sent/);
  await searchField(page).fill('sk_live_q7HkZ2mNv8RtYx3L');
  await expectPath(page, '/settings/api?q=sk_live_q7H');
  await searchField(page).fill(` ${hashOf(apiKey).toUpperCase()}`);
  await keys.row(page, 'Typed').waitFor();
  await expectPath(page, `/settings/api?hash=${hashOf(apiKey)}`);
  for (const secret of [apiKey, stray]) {
    assert.deepEqual(
      recorded.texts.filter((text) => text.includes(randomPart(secret).slice(0, 20))),
      [],
    );
  }
});

test('a key in the address of a page is removed from it before it is used, and is found', async (t) => {
  const { apiKey } = await dashboard.ada.createKey({ name: 'In the address' });
  const page = await dashboard.open(t, '/healthz');
  for (const path of [
    `/settings/api?q=${apiKey}`,
    `/settings/api?q=%22${encodeURIComponent(apiKey.replaceAll('_', '%5F'))}%22&status=revoked`,
    `/settings/api/${apiKey}`,
    `/login?next=${encodeURIComponent(`/settings/api?q=${apiKey}`)}`,
  ]) {
    const recorded = recordTraffic(page.context());
    await page.goto(dashboard.server.url + path);
    await keys.row(page, 'In the address').waitFor();
    await expectPath(page, `/settings/api?hash=${hashOf(apiKey)}`);
    await expectText(
      note(page),
      /^The URL of this page contained the key.* revoke it\. Found by its fingerprint/,
    );
    const [opened, ...others] = recorded.texts.filter((text) => text.includes(randomPart(apiKey)));
    assert.match(opened ?? '', /^GET /, 'the request for the page');
    assert.deepEqual(others, []);
    // Where the page shows no key, so that the next one cannot be taken for it.
    await page.goto(`${dashboard.server.url}/healthz`);
  }
  await page.goto(`${dashboard.server.url}/help/authentication?x=${apiKey}#${apiKey}`);
  await expectPath(page, '/help/authentication');
  // The page that is open could still send a request, which would be rejected.
  await page.goto('about:blank');
  await page.context().clearCookies();
  await page.goto(`${dashboard.server.url}/settings/api?q=${apiKey}`);
  await expectPath(page, `/login?next=${encodeURIComponent(`/settings/api?hash=${hashOf(apiKey)}`)}`);
});

test('the pages recognize all prefixes that a deployment accepts', async (t) => {
  const env = { SOKU_KEY_PREFIX: 'acme_', SOKU_ACCEPTED_PREFIXES: 'old_' };
  const other = await Dashboard.start(env);
  t.after(() => other.stop());
  const { apiKey } = await other.ada.createKey({ name: 'Of acme' });
  const page = await other.open(t, `/settings/api?q=${apiKey}`);
  await keys.row(page, 'Of acme').waitFor();
  await expectPath(page, `/settings/api?hash=${hashOf(apiKey)}`);
  for (const text of [apiKey.slice(5), generateKey({ prefix: 'old_' }).slice(4)]) {
    await page.goto(`${other.server.url}/settings/api`);
    await searchField(page).fill(text);
    await note(page).waitFor();
    assert.ok(!page.url().includes(text));
  }
});

test('a long text that is not a key stays in the search as pasted', async (t) => {
  const page = await dashboard.open(t, '/settings/api?q=by');
  const digest = hashOf('anything');
  await page.evaluate((text) => Reflect.get(navigator, 'clipboard').writeText(text), digest);
  await searchField(page).focus();
  await page.keyboard.press('End');
  await page.keyboard.press('ControlOrMeta+V');
  await expectPath(page, `/settings/api?q=by${digest}`);
  assert.equal(await searchField(page).inputValue(), `by${digest}`);
});

test('if the code that detects keys does not load, text that may contain one is not sent', async (t) => {
  const { apiKey } = await dashboard.ada.createKey({ name: 'Not read' });
  const page = await dashboard.open(t, '/settings/api', { alone: true, expected: [networkErrorMessage] });
  const recorded = recordTraffic(page.context());
  await page.route(/search-input|read-address/, (route) => route.abort());
  await searchField(page).fill(apiKey);
  await expectText(page.getByRole('main'), /Part of this page did not load\. Your search was not sent/);
  await expectKeyNotInPage(page, apiKey, 'after the search');
  await page.goto(`${dashboard.server.url}/settings/api?q=${apiKey}`);
  await expectPath(page, '/');
  await keys.heading(page).waitFor();
  const [opened, ...others] = recorded.texts.filter((text) => text.includes(randomPart(apiKey)));
  assert.match(opened ?? '', /^GET /, 'the request for the page');
  assert.deepEqual(others, []);
});
