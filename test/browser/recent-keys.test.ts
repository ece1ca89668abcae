/** The keys that were opened last, in the sidebar. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import type { Person } from '../support/person.ts';
import { waitUntilLoaded } from './accessibility.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import { evaluate, expectHidden, expectPath, expectText, readTexts, waitUntil } from './expect.ts';
import { choices, openJump, recentKeys, recentLinks } from './jump-pages.ts';
import * as keys from './key-pages.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;
/** Another account on the same server. */
const neighbor = await Dashboard.inNewWorkspace();

const ids = new Map<number, string>();
for (const n of [1, 2, 3, 4, 5, 6]) ids.set(n, (await ada.createKey({ name: `Opened ${n}` })).key.id);
const idOf = (n: number) => ids.get(n) ?? '';

/** All that the browser stores about the keys. */
const stored = (page: Page) =>
  evaluate(
    page,
    z.array(z.string()),
    `Object.entries(localStorage).filter(([name]) => name.startsWith('soku.recent')).map(([, text]) => text)`,
  );

/** Replaces it. */
const store = (page: Page, text: string) =>
  page.evaluate(`{
    const [name] = Object.keys(localStorage).filter((one) => one.startsWith('soku.recent'));
    localStorage.setItem(name, ${JSON.stringify(text)});
  }`);

interface OpenOptions {
  as?: Person;
  expected?: RegExp[];
}

/** Opens the pages of keys, one after another, the first by loading it. */
async function openKeys(t: TestContext, numbers: number[], options: OpenOptions = {}): Promise<Page> {
  const [first = 0, ...others] = numbers;
  const page = await dashboard.open(t, `/settings/api/${idOf(first)}`, options);
  await expectText(keys.heading(page), new RegExp(`^Opened ${first}$`));
  for (const n of others) {
    await keys.visit(page, `/settings/api/${idOf(n)}`);
    await expectText(keys.heading(page), new RegExp(`^Opened ${n}$`));
  }
  await waitUntilLoaded(page);
  return page;
}

const lists = (page: Page, names: string[]) =>
  waitUntil(
    () => readTexts(recentLinks(page)),
    (shown) => shown.join() === names.join(),
    `the sidebar lists ${names.join()}`,
  );

test('a long name is cut at the end of the sidebar, which does not scroll sideways', async (t) => {
  const { key } = await dashboard.ada.createKey({ name: 'Donaudampfschiff'.repeat(6) });
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  const link = await recentLinks(page).first().boundingBox();
  const sidebar = await page.locator('.shell__bar').boundingBox();
  assert.ok(
    link && sidebar && link.x + link.width <= sidebar.x + sidebar.width,
    'the link is in the sidebar',
  );
});

test('the last five keys are listed, the newest first, and stay after a reload', async (t) => {
  const page = await openKeys(t, [1, 2, 3, 4, 5, 6, 2]);
  const expected = ['Opened 2', 'Opened 6', 'Opened 5', 'Opened 4', 'Opened 3'];
  await lists(page, expected);
  assert.equal(await recentLinks(page).first().getAttribute('aria-current'), 'page');
  await page.goto(`${dashboard.server.url}/help/authentication`);
  await lists(page, expected);
  await openJump(page);
  const offered = (await readTexts(choices(page))).slice(0, 5);
  assert.deepEqual(
    offered.map((text) => text.slice(0, 'Opened 2'.length)),
    expected,
    'the jump dialog offers them before anything is typed',
  );
  await page.keyboard.press('Escape');
  await recentLinks(page).filter({ hasText: 'Opened 5' }).click();
  await expectPath(page, `/settings/api/${idOf(5)}`);
  await lists(page, ['Opened 5', 'Opened 2', 'Opened 6', 'Opened 4', 'Opened 3']);
});

test('the browser stores only the ids of the keys, not their names', async (t) => {
  const page = await openKeys(t, [1, 2]);
  assert.deepEqual(await stored(page), [JSON.stringify([idOf(2), idOf(1)])]);
  assert.doesNotMatch(await evaluate(page, z.string(), 'JSON.stringify(localStorage)'), /Opened/);
});

test('a renamed key is listed with its new name, and a revoked one is drawn as an outline', async (t) => {
  const { key } = await ada.createKey({ name: 'Opened, to be renamed' });
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await lists(page, ['Opened, to be renamed']);
  await page.getByRole('button', { name: 'Rename' }).click();
  await keys.nameField(page).fill('Opened and renamed');
  await page.keyboard.press('Enter');
  await lists(page, ['Opened and renamed']);
  await page.getByRole('button', { name: 'Revoke key' }).click();
  await keys.confirmRevoke(page, 'Opened and renamed').click();
  await recentKeys(page).locator('.key-teeth--revoked').waitFor();
});

test('a key that does not exist disappears from the list and from the storage', async (t) => {
  const page = await openKeys(t, [1], { expected: [httpErrorMessage(404)] });
  await store(page, JSON.stringify([`key_${'0'.repeat(26)}`, idOf(1)]));
  await page.goto(`${dashboard.server.url}/`);
  await lists(page, ['Opened 1']);
  await waitUntil(
    () => stored(page),
    ([text]) => text === JSON.stringify([idOf(1)]),
    'the id is removed',
  );
});

test('an unreadable list in the storage is ignored', async (t) => {
  const page = await openKeys(t, [1]);
  for (const text of ['{', '"text"', '[1]', '["key_!"]', 'null']) {
    await store(page, text);
    await page.goto(`${dashboard.server.url}/help/authentication`);
    await page.getByRole('button', { name: /^Account menu/ }).waitFor();
    assert.equal(await recentKeys(page).count(), 0, text);
  }
});

test('another account in the same browser sees its own list', async (t) => {
  const page = await openKeys(t, [1]);
  const person = await neighbor.openSession();
  const { key } = await person.createKey({ name: 'Opened by Bob' });
  await dashboard.signInAs(page.context(), person);
  await page.goto(`${dashboard.server.url}/`);
  await waitUntilLoaded(page);
  assert.equal(await recentKeys(page).count(), 0);
  await page.goto(`${dashboard.server.url}/settings/api/${key.id}`);
  await lists(page, ['Opened by Bob']);
  await dashboard.signInAs(page.context(), ada);
  await page.goto(`${dashboard.server.url}/`);
  await lists(page, ['Opened 1']);
});

test('signing out removes the lists from the browser, in all tabs', async (t) => {
  const page = await openKeys(t, [1, 2], { as: await dashboard.openSession() });
  const other = await page.context().newPage();
  await other.goto(`${dashboard.server.url}/help/authentication`);
  await lists(other, ['Opened 2', 'Opened 1']);
  await page.getByRole('button', { name: /^Account menu/ }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expectPath(page, '/login');
  assert.deepEqual(await stored(page), []);
  await expectHidden(recentKeys(other));
});

test('signing out everywhere removes the lists from this browser', async (t) => {
  const person = await neighbor.openSession();
  const { key } = await person.createKey({ name: 'Opened before the end' });
  const page = await dashboard.open(t, `/settings/api/${key.id}`, {
    as: person,
    // A page that still loads when its session ends.
    expected: [httpErrorMessage(401)],
  });
  await lists(page, ['Opened before the end']);
  await page.goto(`${dashboard.server.url}/settings/account?panel=end-all`);
  await keys.alertDialog(page).getByRole('button', { name: 'Sign out everywhere' }).click();
  await expectPath(page, '/login');
  assert.deepEqual(await stored(page), []);
});

test('on a phone, the menu lists the recently opened keys', async (t) => {
  const page = await openKeys(t, [1, 2]);
  await page.setViewportSize({ width: 390, height: 844 });
  assert.equal(await recentLinks(page).count(), 0);
  await page.getByRole('button', { name: /^Account menu/ }).click();
  await lists(page, ['Opened 2', 'Opened 1']);
  await recentLinks(page).last().click();
  await expectPath(page, `/settings/api/${idOf(1)}`);
  await expectHidden(page.locator('.account-menu'));
});
