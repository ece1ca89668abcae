/** The reference sends GET requests from the page, with a key that is nowhere but in their Authorization header. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { meSchema } from '@soku/contract/verification';
import type { Page, Request } from 'playwright-core';
import { z } from 'zod';
import { call } from '../support/person.ts';
import { expectAccessible, waitUntilLoaded } from './accessibility.ts';
import { Dashboard, httpErrorMessage, networkErrorMessage } from './dashboard.ts';
import { evaluate, expectFocus, expectHidden, expectPath, expectText, tabTo, waitUntil } from './expect.ts';
import { heading } from './key-pages.ts';
import {
  expectKeyNotInBrowser,
  expectKeyNotInPage,
  placesInPageScript,
  randomPart,
  recordTraffic,
} from './leaks.ts';

const dashboard = await Dashboard.shared();
const { apiKey, key } = await dashboard.ada.createKey({
  name: 'Tried',
  scopes: ['keys:read'],
  rateLimit: 1000,
});

const operation = (page: Page, id: string) => page.locator(`article[id="${id}"]`);
// Within the parts of the operations that can be tried: a search by role takes long in the whole reference.
const keyField = (page: Page) => page.locator('.try-it').getByRole('textbox', { name: 'API key' });
const tryButton = (page: Page, id: string) => operation(page, id).getByRole('button', { name: /^Try it/ });
const sendButton = (page: Page) => page.locator('.try-it').getByRole('button', { name: 'Send request' });
const status = (page: Page) => page.locator('.tried-response__status');
const body = (page: Page) => page.locator('.tried-response').getByRole('region', { name: /^response body/ });

async function openForm(t: TestContext, id: string, expected: RegExp[] = [], alone = false): Promise<Page> {
  const page = await dashboard.open(t, `/docs#${id}`, { expected, alone });
  await tryButton(page, id).click();
  return page;
}

/** Records the requests to the API from now on. */
function requestsOf(page: Page): Request[] {
  const sent: Request[] = [];
  page.on('request', (request) => {
    if (new URL(request.url()).pathname.startsWith('/v1/')) sent.push(request);
  });
  return sent;
}

test('the form for a request, in one page load', async (t) => {
  const page = await openForm(t, 'getMe', [httpErrorMessage(401), networkErrorMessage]);
  await t.test('a valid key returns the response, with status, headers and formatted body', async () => {
    await keyField(page).fill(` ${apiKey} `);
    await sendButton(page).click();
    await expectText(status(page), /^200 OK \d+ ms$/);
    const text = (await body(page).textContent()) ?? '';
    assert.equal(meSchema.parse(JSON.parse(text)).key.id, key.id);
    assert.match(text, /^\{\n {2}"key": \{\n/, 'formatted');
    const headers = await page
      .locator('.tried-response')
      .getByRole('region', { name: /^response headers/ })
      .textContent();
    assert.match(headers ?? '', /^content-type: application\/json/m);
    assert.match(headers ?? '', /^ratelimit: "key";r=\d+/m);
    assert.match(headers ?? '', /^x-request-id: req_/m);
  });

  await t.test('a wrong key shows the 401 with the exact reason, and links to its explanation', async () => {
    const { apiKey: ended, key: endedKey } = await dashboard.ada.createKey({ name: 'Tried in vain' });
    await dashboard.ada.revoke(endedKey.id);
    const mistyped = apiKey.slice(0, -1) + (apiKey.endsWith('A') ? 'B' : 'A');
    for (const [wrong, code] of [
      [ended, 'revoked_key'],
      [mistyped, 'mistyped_key'],
      [key.preview, 'key_preview'],
    ] as const) {
      await keyField(page).fill(wrong);
      await sendButton(page).click();
      await page.locator('.tried-response').getByRole('link', { name: code }).waitFor();
      await expectText(status(page), /^401 Unauthorized/);
      assert.match((await body(page).textContent()) ?? '', new RegExp(`"code": "${code}"`));
    }
  });

  await t.test('an empty key, and one that no header can carry, are explained and not sent', async () => {
    const sent = requestsOf(page);
    await keyField(page).fill('');
    await sendButton(page).click();
    await expectText(operation(page, 'getMe').locator('.field__problem'), /^Paste a key\.$/);
    await expectFocus(keyField(page));
    await keyField(page).fill(`${apiKey}\u200b`);
    await sendButton(page).click();
    await expectText(operation(page, 'getMe').locator('.field__problem'), /\w{3}/);
    assert.equal(sent.length, 0);
  });

  await t.test('markup in a response is shown as text', async () => {
    const markup = '<img src="/x" onerror="document.title = 1"><b class="injected">b</b>';
    await page.route('**/v1/me', (route) =>
      route.fulfill({ contentType: 'text/html', headers: { 'x-request-id': markup }, body: markup }),
    );
    await keyField(page).fill(apiKey);
    await sendButton(page).click();
    await expectText(status(page), /^200 OK/);
    assert.equal(await body(page).textContent(), markup);
    const headers = await page
      .locator('.tried-response')
      .getByRole('region', { name: /^response headers/ })
      .textContent();
    assert.match(headers ?? '', /^x-request-id: <img src/m);
    assert.equal(await page.locator('.tried-response img, .injected').count(), 0);
  });

  await t.test('the page reports that there was no response', async () => {
    await page.route('**/v1/me', (route) => route.abort());
    await keyField(page).fill(apiKey);
    await sendButton(page).click();
    await expectText(page.getByRole('alert'), /^The server did not respond\./);
  });
});

test('all operations of the reference, in one page load', async (t) => {
  const page = await dashboard.open(t, '/docs');
  await waitUntilLoaded(page);
  await t.test('only requests that change nothing can be sent; the others show curl', async () => {
    const offered = await page.locator('article:has(.try-it) .operation__call .method').allTextContents();
    assert.ok(offered.length >= 8);
    assert.deepEqual([...new Set(offered)], ['GET']);
    for (const id of ['createKey', 'revokeKey', 'listNodes', 'getMetrics']) {
      assert.equal(await operation(page, id).locator('.try-it').count(), 0, id);
    }
    await operation(page, 'createKey').getByRole('region', { name: /^curl/ }).waitFor();
  });

  await t.test('the index summarizes every operation, and the contents mark the current one', async () => {
    const contents = page.getByRole('navigation', { name: 'On this page' });
    const titles = await page.locator('article .operation__title').allTextContents();
    const summaries = await page.locator('.docs__index-summary').allTextContents();
    assert.deepEqual(summaries, titles);
    assert.deepEqual(await contents.locator('a:visible').allTextContents(), titles);
    await contents.getByRole('link', { name: 'Create a key' }).click();
    await expectText(contents.locator('a[aria-current="location"]:visible'), /^Create a key$/);
    await expectPath(page, '/docs#createKey');
    const last = contents.locator('a:visible').last();
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
    await waitUntil(
      async () => ({ current: await last.getAttribute('aria-current'), box: await last.boundingBox() }),
      ({ current, box }) => current === 'location' && box !== null && box.y + box.height <= 720,
      'the last entry is current and on the screen',
    );
  });
});

test('the key is only in the Authorization header, and in the page only while its field shows it', async (t) => {
  const page = await openForm(t, 'getMe', [], true);
  const recorded = recordTraffic(page.context());
  const sent = requestsOf(page);
  await keyField(page).fill(apiKey);
  await sendButton(page).click();
  await expectText(status(page), /^200 OK/);
  const places = await evaluate(page, z.record(z.string(), z.string()), placesInPageScript);
  const holding = Object.keys(places).filter((place) => places[place]?.includes(randomPart(apiKey)));
  assert.deepEqual(holding, ['fields']);
  assert.equal(await keyField(page).getAttribute('autocomplete'), 'off');
  assert.equal(await keyField(page).getAttribute('name'), null);

  const [request] = sent;
  assert.ok(request);
  const headers = await request.allHeaders();
  const carriers = Object.keys(headers).filter((name) => headers[name]?.includes(apiKey));
  assert.deepEqual(carriers, ['authorization']);
  assert.equal(headers.cookie, undefined, 'the session is not sent');

  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Settings' }).click();
  await expectPath(page, '/settings/account');
  await expectText(heading(page), /^Account$/);
  await expectKeyNotInBrowser(page, apiKey, 'after leaving the reference');
  await page.goBack();
  await tryButton(page, 'getMe').click();
  assert.equal(await keyField(page).inputValue(), '');
  await recorded.responses();
  assert.deepEqual(
    recorded.texts.filter((text) => text.includes(randomPart(apiKey))),
    [],
    'no URL, request body or console message contains it',
  );
  assert.ok(!dashboard.server.output.includes(randomPart(apiKey)), 'nor does the log');
});

/** How a key that was pasted leaves the page. The reload is last, because it also closes the form. */
const waysOut: Array<[string, (page: Page) => Promise<unknown>]> = [
  ['is cleared by hand', (page) => page.getByRole('button', { name: 'Clear key' }).click()],
  [
    'is dropped when the page enters the back/forward cache',
    (page) => page.evaluate(`window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))`),
  ],
  ['is gone after a reload', (page) => page.reload()],
];

test('the key in the form, in one page load', async (t) => {
  const page = await openForm(t, 'getMe');
  await t.test('the key is kept for the next operation, in the only open form', async () => {
    await keyField(page).fill(apiKey);
    await tryButton(page, 'listKeys').click();
    assert.equal(await keyField(page).count(), 1);
    assert.equal(await keyField(page).inputValue(), apiKey);
    await sendButton(page).click();
    await expectText(status(page), /^200 OK/);
    await tryButton(page, 'listKeys').click();
    await expectHidden(keyField(page));
  });

  await t.test('parameters become part of the request; a key in one of them is not sent', async () => {
    await tryButton(page, 'getKey').click();
    const sent = requestsOf(page);
    await keyField(page).fill(apiKey);
    const id = operation(page, 'getKey').getByRole('textbox', { name: 'id', exact: true });
    await sendButton(page).click();
    await expectText(operation(page, 'getKey').locator('.field__problem'), /^Enter a value\.$/);
    await expectFocus(id);
    await id.fill(apiKey);
    await sendButton(page).click();
    await expectText(operation(page, 'getKey').locator('.field__problem'), /^This contains a key/);
    assert.equal(sent.length, 0);
    await id.fill(key.id);
    await sendButton(page).click();
    await expectText(status(page), /^200 OK/);
    assert.deepEqual(
      sent.map((request) => new URL(request.url()).pathname),
      [`/v1/api-keys/${key.id}`],
    );
  });

  for (const [how, leave] of waysOut) {
    await t.test(`the key ${how}`, async () => {
      await keyField(page).fill(apiKey);
      await leave(page);
      await waitUntilLoaded(page);
      await expectKeyNotInPage(page, apiKey, how);
    });
  }

  await t.test('the keyboard alone sends a request', async () => {
    await tryButton(page, 'getMe').focus();
    await page.keyboard.press('Enter');
    await tabTo(keyField(page));
    await page.keyboard.insertText(apiKey);
    await page.keyboard.press('Enter');
    await expectText(status(page), /^200 OK/);
    await tabTo(body(page));
  });
});

test('a request can be sent twice in a page that the browser translates', async (t) => {
  const expected = [httpErrorMessage(401)];
  const page = await dashboard.open(t, '/docs#getMe', { translated: true, expected });
  await tryButton(page, 'getMe').click();
  for (const [sent, shown] of [
    [apiKey, /^200 OK/],
    [key.preview, /^401 Unauthorized/],
    [apiKey, /^200 OK/],
  ] as const) {
    await keyField(page).fill(sent);
    await sendButton(page).click();
    await expectText(status(page), shown);
  }
});

test('the form and its response have no axe violations', async (t) => {
  const page = await dashboard.open(t, '/docs#listKeys');
  await waitUntilLoaded(page);
  await tryButton(page, 'listKeys').click();
  await keyField(page).fill(apiKey);
  await sendButton(page).click();
  await expectText(status(page), /^200 OK/);
  // Where the page stops, a bar may cover half of a field, which axe reports.
  await page.evaluate('scrollTo(0, 0)');
  // pages.test.ts checks the other operations. With them, axe would take three times as long.
  await page.evaluate(
    `for (const other of document.querySelectorAll('article:not([id="listKeys"])')) other.remove()`,
  );
  await expectAccessible(page, { within: 'article[id="listKeys"]' });
});

test('the policy lets the page send requests to its own server only', async () => {
  const response = await call(`${dashboard.server.url}/docs`);
  const policy = response.headers.get('content-security-policy') ?? '';
  assert.match(policy, /(^|;)connect-src 'self'(;|$)/);
  assert.match(policy, /(^|;)form-action 'self'(;|$)/);
});
