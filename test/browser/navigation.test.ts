/** Navigation: titles, focus, the skip link, unknown addresses and motion. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { z } from 'zod';
import { waitUntilLoaded } from './accessibility.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import { evaluate, expectFocus, expectPath, expectText, expectVisibleFocus, tabTo } from './expect.ts';
import { heading, nameField } from './key-pages.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { key } = await dashboard.ada.createKey({ name: 'Navigated' });

const main = (page: Page) => page.getByRole('navigation', { name: 'Main' });
const settings = (page: Page) => page.getByRole('navigation', { name: 'Settings' });

/** A walk through all pages: the link to click, the heading that must have the focus then, and the path. */
const walk: Array<[(page: Page) => Locator | Promise<Locator>, string, string]> = [
  [(page) => main(page).getByRole('link', { name: 'Settings' }), 'Account', '/settings/account'],
  [(page) => settings(page).getByRole('link', { name: 'API' }), 'API keys', '/settings/api'],
  [(page) => page.getByRole('link', { name: 'Navigated' }), 'Navigated', `/settings/api/${key.id}`],
  [
    async (page) => {
      await page.getByRole('link', { name: 'Activity' }).click();
      return page.getByRole('link', { name: 'Audit log for this key' });
    },
    'Audit log',
    `/settings/audit?key=${key.id}`,
  ],
  [
    (page) => main(page).getByRole('link', { name: 'Help' }),
    'API key management',
    '/help/api-key-management',
  ],
  [
    (page) => page.getByRole('link', { name: 'Authentication', exact: true }).first(),
    'Authentication',
    '/help/authentication',
  ],
  [
    (page) => page.getByRole('link', { name: 'Troubleshooting' }).first(),
    'API troubleshooting',
    '/help/api-troubleshooting',
  ],
  [(page) => main(page).getByRole('link', { name: 'API reference' }), 'API reference', '/docs'],
  [(page) => main(page).getByRole('link', { name: 'Overview' }), 'Overview', '/'],
];

test('every page has a unique title, and navigating to it focuses its heading', async (t) => {
  const page = await dashboard.open(t, '/');
  const titles: string[] = [];
  for (const [link, title, path] of walk) {
    await (await link(page)).click();
    await expectPath(page, path);
    await expectText(heading(page), new RegExp(`^${title}$`));
    await expectFocus(heading(page));
    assert.equal(await page.evaluate('scrollY'), 0, `${path} starts at its top`);
    titles.push(await page.title());
  }
  assert.equal(new Set(titles).size, walk.length, titles.join());
  for (const title of titles) assert.match(title, / · Soku$/);
});

test('Back and Forward also move the focus to the heading', async (t) => {
  const page = await dashboard.open(t, '/settings/account');
  await settings(page).getByRole('link', { name: 'API' }).click();
  await expectText(heading(page), /^API keys$/);
  await page.goBack();
  await expectText(heading(page), /^Account$/);
  await expectFocus(heading(page));
  await page.goForward();
  await expectText(heading(page), /^API keys$/);
  await expectFocus(heading(page));
});

for (const path of ['/', '/settings/api', '/settings/audit', '/help/authentication', '/docs']) {
  test(`the first element that Tab reaches on ${path} skips to the content`, async (t) => {
    const page = await dashboard.open(t, path);
    await waitUntilLoaded(page);
    await page.keyboard.press('Tab');
    const skip = page.getByRole('button', { name: 'Skip to content' });
    await expectVisibleFocus(skip);
    await page.keyboard.press('Enter');
    await expectFocus(page.getByRole('main'));
    await page.keyboard.press('Tab');
    assert.equal(
      await evaluate(page, z.boolean(), `document.querySelector('main').contains(document.activeElement)`),
      true,
      'the next element is in the content',
    );
  });
}

test('an unknown address returns 404 with a page that links to the overview', async (t) => {
  const page = await dashboard.open(t, '/healthz', { expected: [httpErrorMessage(404)] });
  for (const path of ['/nowhere', '/settings/nowhere', '/help/nowhere']) {
    const response = await page.goto(dashboard.server.url + path);
    assert.equal(response?.status(), 404);
    await expectText(heading(page), /^Page not found$/);
  }
  await page.getByRole('link', { name: 'Go to overview' }).click();
  await expectPath(page, '/');
  await expectText(heading(page), /^Overview$/);
});

for (const [from, to] of [
  ['/settings', '/settings/account'],
  ['/help', '/help/api-key-management'],
]) {
  test(`${from} redirects to ${to}`, async (t) => {
    const page = await dashboard.open(t, from ?? '');
    await expectPath(page, to ?? '');
  });
}

test('invalid URL parameters are dropped, and the page is still shown', async (t) => {
  const page = await dashboard.open(t, '/settings/api?status=nonsense&panel=nonsense&key=nonsense');
  await expectText(heading(page), /^API keys$/);
  await page.getByRole('link', { name: 'Navigated' }).waitFor();
});

/** Withholds the responses, so that the loading state can be checked. */
const hold = (page: Page) => page.route('**/v1/api-keys?**', () => undefined);

const running = (page: Page) =>
  evaluate(
    page,
    z.int(),
    `document.getAnimations().filter(({ playState }) => playState === 'running').length`,
  );

test('with reduced motion nothing is animated, even while loading; otherwise something is', async (t) => {
  const calm = await dashboard.open(t, '/healthz');
  const moving = await dashboard.open(t, '/healthz', { reducedMotion: 'no-preference' });
  for (const page of [calm, moving]) {
    await hold(page);
    await page.goto(`${dashboard.server.url}/settings/api`);
    await page.getByRole('status').filter({ hasText: 'Loading keys' }).waitFor();
  }
  assert.equal(await running(calm), 0);
  assert.ok((await running(moving)) > 0, 'the test detects motion');
});

test('the layout does not shift when the keys have loaded', async (t) => {
  const page = await dashboard.open(t, '/healthz');
  await hold(page);
  await page.goto(`${dashboard.server.url}/settings/api`);
  await page.getByRole('status').filter({ hasText: 'Loading keys' }).waitFor();
  const top = async (selector: string) => (await page.locator(selector).first().boundingBox())?.y ?? 0;
  const before = [await top('.keys'), await top('.keys tbody tr')];
  await page.unroute('**/v1/api-keys?**');
  await page.reload();
  await page.getByRole('link', { name: 'Navigated' }).waitFor();
  const moved = [await top('.keys'), await top('.keys tbody tr')].map((y, index) =>
    Math.abs(y - (before[index] ?? 0)),
  );
  assert.ok(
    moved.every((distance) => distance <= 1),
    `moved by ${moved.join(' and ')} px`,
  );
});

test('a list that is loading can be sorted with the keyboard, and the focus stays on its header', async (t) => {
  const page = await dashboard.open(t, '/healthz');
  await hold(page);
  await page.goto(`${dashboard.server.url}/settings/api`);
  await page.getByRole('status').filter({ hasText: 'Loading keys' }).waitFor();
  const byName = page.getByRole('columnheader', { name: 'Name' }).getByRole('button');
  await tabTo(byName);
  await page.keyboard.press('Enter');
  await expectPath(page, '/settings/api?sort=name&order=asc');
  await page.unroute('**/v1/api-keys?**');
  await page.keyboard.press('Enter');
  await expectPath(page, '/settings/api?sort=name&order=desc');
  await page.getByRole('link', { name: 'Navigated' }).waitFor();
  await expectVisibleFocus(byName);
});

test('the pages send no requests to other origins', async (t) => {
  const page = await dashboard.open(t, '/healthz');
  const requested = new Set<string>();
  page.on('request', (request) => requested.add(new URL(request.url()).origin));
  for (const path of ['/', '/settings/api?panel=generate', '/settings/account', '/docs']) {
    await page.goto(dashboard.server.url + path);
    await waitUntilLoaded(page);
  }
  assert.deepEqual([...requested], [dashboard.server.url]);
});

test('Tab stays inside an open dialog', async (t) => {
  const page = await dashboard.open(t, '/settings/api?panel=generate');
  await expectFocus(nameField(page));
  for (let steps = 0; steps < 20; steps += 1) {
    await page.keyboard.press(steps < 10 ? 'Tab' : 'Shift+Tab');
    const inside = `document.activeElement === document.body || document.querySelector('dialog').contains(document.activeElement)`;
    assert.equal(await page.evaluate(inside), true);
  }
});

test('while the code of a page is loading, the page has a heading', async (t) => {
  const page = await dashboard.open(t, '/healthz', { alone: true });
  const held = Promise.withResolvers<void>();
  await page.route('**/assets/AccountPage-*.js', async (route) => {
    await held.promise;
    await route.continue();
  });
  await page.goto(`${dashboard.server.url}/settings/account`);
  await expectText(heading(page), /^Loading$/);
  held.resolve();
  await expectText(heading(page), /^Account$/);
  assert.equal(await heading(page).count(), 1);
});
