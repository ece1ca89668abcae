/** M10, M12: the help pages are linked where they are needed, and are correct. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { errorCodeNames, helpPath } from '@soku/contract/error-codes';
import { errorSchema } from '@soku/contract/errors';
import { explainKey, generateKey } from '@soku/key';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { Specification } from '../support/openapi.ts';
import { call } from '../support/person.ts';
import { Dashboard } from './dashboard.ts';
import { evaluate, expectPath, expectText, readClipboard, readTexts, waitUntil } from './expect.ts';
import { heading, visit } from './key-pages.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { key } = await dashboard.ada.createKey({ name: 'Helped' });

const openSignedOut = (t: TestContext, path: string) => dashboard.open(t, path, { as: null });

const pages = {
  '/help/api-key-management': 'API key management',
  '/help/rotate-a-key': 'Rotate a key',
  '/help/authentication': 'Authentication',
  '/help/protect-an-api': 'Protect an API',
  '/help/api-troubleshooting': 'API troubleshooting',
};

const helpTabs = (page: Page) => page.getByRole('navigation', { name: 'Help' });

for (const [path, title] of Object.entries(pages)) {
  test(`${path} needs no login and links to the other help pages`, async (t) => {
    const page = await openSignedOut(t, path);
    await expectText(heading(page), new RegExp(`^${title}$`));
    const links = await helpTabs(page).getByRole('link').all();
    const targets = await Promise.all(links.map((link) => link.getAttribute('href')));
    assert.deepEqual(targets, Object.keys(pages));
    assert.equal(
      await page.getByRole('link', { name: 'Sign in' }).getAttribute('href'),
      `/login?next=${encodeURIComponent(path)}`,
    );
  });
}

test('the links to the other help pages work without a login', async (t) => {
  const page = await openSignedOut(t, '/help/api-troubleshooting');
  for (const [path, title] of Object.entries(pages)) {
    await helpTabs(page).locator(`a[href="${path}"]`).click();
    await expectText(heading(page), new RegExp(`^${title}$`));
  }
  assert.equal(
    await page.getByRole('link', { name: 'Sign in' }).getAttribute('href'),
    '/login?next=%2Fhelp%2Fapi-troubleshooting',
  );
});

/** Each is reached with a link from a page with another heading, which shows when it is open. */
const links = [
  ['the list of keys', '/settings/api', 'API keys', 'Best practices', '/help/api-key-management'],
  ['an empty list', '/settings/api?status=expired', 'API keys', 'Best practices', '/help/api-key-management'],
  [
    'the page of a key',
    `/settings/api/${key.id}?tab=secrets`,
    'Helped',
    'How to rotate a key without downtime',
    '/help/rotate-a-key',
  ],
  ['the sidebar', '/', 'Overview', 'Help', '/help/api-key-management'],
  ['the sidebar', '/', 'Overview', 'API reference', '/docs'],
  [
    'the page about authentication',
    '/help/authentication',
    'Authentication',
    'Troubleshooting',
    '/help/api-troubleshooting',
  ],
] satisfies Array<[string, string, string, string, string]>;

test('links to the help, in one page load', async (t) => {
  const page = await dashboard.open(t, '/settings/account');
  await expectText(heading(page), /^Account$/);
  for (const [place, path, title, link, target] of links) {
    await t.test(`${place} links to ${target}`, async () => {
      await visit(page, path);
      await expectText(heading(page), new RegExp(`^${title}$`));
      await page.getByRole('link', { name: link, exact: true }).first().click();
      await waitUntil(
        async () => evaluate(page, z.string(), 'location.pathname'),
        (at) => at === target,
        target,
      );
    });
  }
});

test('the login page links to the troubleshooting page, which needs no login', async (t) => {
  const page = await openSignedOut(t, '/login');
  await page.getByRole('link', { name: 'Troubleshooting' }).click();
  await expectText(heading(page), /^API troubleshooting$/);
});

test('the troubleshooting page has exactly one entry for every error code', async (t) => {
  const page = await openSignedOut(t, '/help/api-troubleshooting');
  await expectText(heading(page), /^API troubleshooting$/);
  const anchors = await evaluate(
    page,
    z.array(z.string()),
    `Array.from(document.querySelectorAll('main [id]'), (element) => element.id)`,
  );
  for (const code of errorCodeNames) {
    assert.equal(anchors.filter((id) => id === code).length, 1, code);
  }
  const entries = await evaluate(
    page,
    z.array(z.string()),
    `Array.from(document.querySelectorAll('main article article'), (element) => element.id)`,
  );
  assert.deepEqual(entries.toSorted(), errorCodeNames.toSorted());
  const unnamed = (await readTexts(page.locator('main h2'))).filter((title) => /^\d+\s*$/.test(title));
  assert.deepEqual(unnamed, [], 'every status has a name');
  const index = await readTexts(page.getByRole('navigation', { name: 'Error codes' }).getByRole('link'));
  assert.deepEqual(index.toSorted(), errorCodeNames.toSorted());
});

test('the help lists the rate limit headers of the API and links to the error', async (t) => {
  const { apiKey } = await dashboard.ada.createKey({ name: 'Limited', rateLimit: 1000 });
  const response = await call(`${dashboard.server.url}/v1/me`, {
    headers: { authorization: `Bearer ${apiKey}` },
  });
  const page = await openSignedOut(t, '/help/authentication#limits');
  const listed = await page.getByRole('region', { name: 'rate limit headers' }).textContent();
  const named = (listed ?? '').split('\n').map((line) => line.split(':', 1)[0]?.toLowerCase() ?? '');
  const sent = [...response.headers.keys()].filter((name) => name.includes('ratelimit'));
  assert.deepEqual(named.toSorted(), sent.toSorted());
  await page.getByRole('link', { name: 'rate_limited' }).click();
  await expectPath(page, helpPath('rate_limited'));
  await isMarked(page, 'rate_limited');
});

/** Waits until the entry of a code is on the screen and highlighted as the target of the address. */
async function isMarked(page: Page, code: string): Promise<void> {
  const entry = page.locator(`[id="${code}"]`);
  await waitUntil(
    async () =>
      entry
        .evaluate((element) => {
          const { top } = element.getBoundingClientRect();
          return {
            target: element.getAttribute('aria-current') === 'location',
            top,
            height: element.ownerDocument.defaultView.innerHeight,
          };
        })
        .then((place) => z.object({ target: z.boolean(), top: z.number(), height: z.number() }).parse(place)),
    ({ target, top, height }) => target && top >= 0 && top < height,
    `${code} is marked and on the screen`,
  );
  const styleOf = (id: string) =>
    evaluate(
      page,
      z.string(),
      `(() => { const { backgroundColor, boxShadow, outlineStyle, borderColor } = getComputedStyle(document.getElementById('${id}')); return [backgroundColor, boxShadow, outlineStyle, borderColor].join(); })()`,
    );
  assert.notEqual(await styleOf(code), await styleOf('missing_authorization'), 'it is highlighted');
}

test('the address of an error code scrolls to its entry and highlights it', async (t) => {
  const page = await openSignedOut(t, helpPath('mistyped_key'));
  await isMarked(page, 'mistyped_key');
  await page
    .getByRole('navigation', { name: 'Error codes' })
    .getByRole('link', { name: 'revoked_key' })
    .click();
  await isMarked(page, 'revoked_key');
  await page.goBack();
  await isMarked(page, 'mistyped_key');
});

test('the link to an error entry can be copied', async (t) => {
  const page = await openSignedOut(t, '/help/api-troubleshooting');
  await page.getByRole('button', { name: 'Copy link to key_preview' }).click();
  await expectText(page.locator('#key_preview').getByRole('status'), /^Copied: to key_preview$/);
  assert.equal(await readClipboard(page), dashboard.server.url + helpPath('key_preview'));
});

const whole = generateKey();
const damaged = {
  'a full key': whole,
  'a truncated key': whole.slice(0, -3),
  'a preview': `${whole.slice(0, 11)}...${whole.slice(-3)}`,
  'a mistyped key': whole.slice(0, -1) + (whole.endsWith('A') ? 'B' : 'A'),
  'a key without its prefix': whole.slice('sk_live_'.length),
  'the name of a variable': '$SOKU_API_KEY',
  'a key in quotes': `"${whole}"`,
};

test('the key checker shows the result of explainKey and the error code of the API, and sends nothing', async (t) => {
  const page = await openSignedOut(t, '/help/api-troubleshooting');
  const field = page.getByRole('textbox', { name: /^Your key/ });
  await field.waitFor();
  const sent: string[] = [];
  page.on('request', (request) => sent.push(request.url()));
  const result = page.locator('.check-key').getByRole('status');
  for (const [what, text] of Object.entries(damaged)) {
    await field.fill(text);
    const problem = explainKey(text, ['sk_live_']);
    const headers = { authorization: `Bearer ${text}` };
    const rejected = await call(`${dashboard.server.url}/v1/me`, { headers });
    const { code } = errorSchema.parse(rejected.body).error;
    const expected =
      problem === null ? 'This is a full key' : `${problem.message} The API responds with ${code}.`;
    await waitUntil(
      async () => (await readTexts(result)).join(),
      (shown) => shown.startsWith(expected),
      `${what}: ${expected}`,
    );
  }
  await field.fill('');
  await expectText(result, /^$/);
  assert.deepEqual(sent, []);
});

test('on paper, long lines of code are wrapped instead of cut off', async (t) => {
  const page = await openSignedOut(t, '/help/authentication');
  await page.locator('.code__text').first().waitFor();
  await page.emulateMedia({ media: 'print' });
  const cut = `[...document.querySelectorAll('.code__text')].filter((code) => code.scrollWidth > code.clientWidth).length`;
  await page.setViewportSize({ width: 400, height: 600 });
  assert.equal(await evaluate(page, z.number(), cut), 0);
  await page.emulateMedia({ media: null });
});

test('the reference needs no login and lists every operation of /openapi.json', async (t) => {
  const page = await openSignedOut(t, '/docs');
  await expectText(heading(page), /^API reference$/);
  const { operations } = await Specification.of(dashboard.server);
  const expected = operations.map(({ method, path }) => `${method} ${path}`).toSorted();
  await page.locator('article').first().waitFor();
  const calls = await readTexts(page.locator('article .operation__call'));
  assert.deepEqual(calls.toSorted(), expected);
  const index = await readTexts(page.getByRole('navigation', { name: 'Operations' }).getByRole('link'));
  assert.deepEqual(index.toSorted(), expected);
});

test('the address of an operation scrolls to it, and its error codes link to the help', async (t) => {
  const page = await openSignedOut(t, '/docs#revokeKey');
  await isMarkedOperation(page, 'revokeKey');
  await page.locator('#revokeKey summary').filter({ hasText: '404' }).click();
  await page.locator('#revokeKey').getByRole('link', { name: 'not_found' }).first().click();
  await expectPath(page, helpPath('not_found'));
  await isMarked(page, 'not_found');
});

async function isMarkedOperation(page: Page, id: string): Promise<void> {
  const schema = z.number();
  await page.locator(`#${id}`).waitFor();
  await waitUntil(
    () => evaluate(page, schema, `document.getElementById('${id}').getBoundingClientRect().top`),
    (top) => top >= -1 && top < 400,
    `${id} is at the top of the screen`,
  );
}
