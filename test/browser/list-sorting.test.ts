/** The key list: columns that sort, filters as chips, and recent requests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msPerDay } from '@soku/contract/instant';
import type { Page } from 'playwright-core';
import { addKeysNamed } from '../support/named-keys.ts';
import { bearer, call } from '../support/person.ts';
import { expectAccessible, waitUntilLoaded } from './accessibility.ts';
import { Dashboard } from './dashboard.ts';
import {
  expectFocus,
  expectMenuClosed,
  expectPath,
  expectText,
  expectVisibleFocus,
  readTexts,
  tabTo,
} from './expect.ts';
import * as keys from './key-pages.ts';
import { recordHours, recordLastUse } from './recorded-usage.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

const inDays = (days: number) => new Date(Date.now() + days * msPerDay).toISOString();

/** Created in this order. The ages are set afterwards. */
const { key: cedar } = await ada.createKey({
  name: 'Cedar',
  scopes: ['keys:write'],
  expiresAt: inDays(25),
});
const { key: ash } = await ada.createKey({ name: 'Ash', scopes: ['keys:read'] });
const { key: birch } = await ada.createKey({ name: 'Birch', expiresAt: inDays(3) });
for (const { id } of [cedar, ash])
  await dashboard.database('UPDATE api_key SET created_at = created_at - ? WHERE id = ?', 200 * msPerDay, id);
await recordLastUse(dashboard, birch.id, { at: Date.now() - 3 * 3_600_000 });
await recordLastUse(dashboard, cedar.id, { at: Date.now() - 100 * msPerDay });
await recordHours(dashboard, birch.id, [
  { hoursAgo: 2, accepted: 1234, refused: 5 },
  { hoursAgo: 40, accepted: 99 },
]);

const byPreview = [ash, birch, cedar]
  .sort((a, b) => (a.preview < b.preview ? -1 : 1))
  .map(({ name }) => name);

const header = (page: Page, name: string) => page.getByRole('columnheader', { name, exact: true });
const sortButton = (page: Page, name: string) => header(page, name).getByRole('button');
const addFilter = (page: Page) => page.getByRole('button', { name: 'Add filter' });
const choice = (page: Page, group: string, name: string) =>
  page.getByRole('group', { name: group }).getByRole('menuitemradio', { name, exact: true });
const chips = (page: Page) => page.locator('.chip:not(.chip--add)');

test('the header of a column sorts the list, and a second click reverses it', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  for (const [column, place, names, sorted] of [
    ['Name', '?sort=name&order=asc', ['Ash', 'Birch', 'Cedar'], 'ascending'],
    ['Name', '?sort=name&order=desc', ['Cedar', 'Birch', 'Ash'], 'descending'],
    ['Last used', '?sort=lastUsed&order=desc', ['Birch', 'Cedar', 'Ash'], 'descending'],
    ['Last used', '?sort=lastUsed&order=asc', ['Cedar', 'Birch', 'Ash'], 'ascending'],
    ['Expires', '?sort=expires&order=asc', ['Birch', 'Cedar', 'Ash'], 'ascending'],
    ['Expires', '?sort=expires&order=desc', ['Cedar', 'Birch', 'Ash'], 'descending'],
    ['Key preview', '?sort=preview&order=asc', byPreview, 'ascending'],
    ['Key preview', '?sort=preview&order=desc', byPreview.toReversed(), 'descending'],
    ['24 hours', '?sort=usage&order=desc', ['Birch', 'Cedar', 'Ash'], 'descending'],
    ['24 hours', '?sort=usage&order=asc', ['Birch', 'Cedar', 'Ash'], 'ascending'],
    ['Status', '?sort=status&order=asc', ['Cedar', 'Ash', 'Birch'], 'ascending'],
    ['Status', '?sort=status&order=desc', ['Birch', 'Ash', 'Cedar'], 'descending'],
    ['Created', '', ['Birch', 'Ash', 'Cedar'], 'descending'],
    ['Created', '?sort=created&order=asc', ['Cedar', 'Ash', 'Birch'], 'ascending'],
  ] satisfies Array<[string, string, string[], string]>) {
    await sortButton(page, column).click();
    await expectPath(page, `/settings/api${place}`);
    await keys.expectRows(page, names);
    assert.equal(await header(page, column).getAttribute('aria-sort'), sorted);
    assert.equal(await page.locator('[aria-sort]').count(), 1);
    await expectFocus(sortButton(page, column));
  }
  await page.goBack();
  await expectPath(page, '/settings/api');
  await keys.expectRows(page, ['Birch', 'Ash', 'Cedar']);
});

test('a list of all keys can be sorted by status', async (t) => {
  const other = await Dashboard.inNewWorkspace();
  const made = [];
  for (const name of ['Revoked', 'Expired', 'Active'])
    made.push((await other.ada.createKey({ name })).key.id);
  const [revoked = '', expired = ''] = made;
  await other.ada.revoke(revoked);
  await other.database('UPDATE api_key SET expires_at = 1 WHERE id = ?', expired);
  const page = await other.open(t, '/settings/api?status=all');
  for (const names of [
    ['Active', 'Expired', 'Revoked'],
    ['Revoked', 'Expired', 'Active'],
  ]) {
    await sortButton(page, 'Status').click();
    await keys.expectRows(page, names);
  }
});

test('a sorted list is loaded page by page, without duplicates or gaps', async (t) => {
  const other = await Dashboard.inNewWorkspace();
  const expected = Array.from({ length: 101 }, (_, n) => `Key ${String(n).padStart(3, '0')}`);
  await addKeysNamed(other.ada, expected);
  await other.database(
    `INSERT INTO last_use (key_id, hash, at, address, agent)
     SELECT s.key_id, s.hash, CAST(? AS BIGINT) - 600000 * CAST(substr(k.name, 5) AS BIGINT), '203.0.113.7', 'curl'
     FROM api_key k JOIN api_key_secret s ON s.key_id = k.id JOIN workspace_member m ON m.workspace_id = k.workspace_id
     JOIN "user" u ON u.id = m.user_id WHERE u.email = ?`,
    String(Date.now()),
    other.account.email,
  );
  for (const [search, names] of [
    ['sort=name&order=desc', expected.toReversed()],
    ['sort=lastUsed&order=desc', expected],
  ] as const) {
    const page = await other.open(t, `/settings/api?${search}`);
    for (const shown of ['50 of 101 keys', '100 of 101 keys', '101 keys']) {
      await expectText(page.locator('.list-foot').getByRole('status'), new RegExp(`^${shown}$`));
      if (shown !== '101 keys') await page.getByRole('button', { name: 'Load more' }).click();
    }
    assert.deepEqual(await keys.rowNames(page), names);
  }
});

test('each filter is a chip that can be removed, and all are in the address', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  const steps: Array<[group: string, name: string, place: string, names: string[], chip: string]> = [
    ['Unused for', '30 days', '?unusedDays=30', ['Ash', 'Cedar'], 'Unused for 30 days'],
    ['Unused for', '90 days', '?unusedDays=90', ['Ash', 'Cedar'], 'Unused for 90 days'],
    ['Expires within', '30 days', '?unusedDays=90&expiresWithinDays=30', ['Cedar'], 'Expires within 30 days'],
    [
      'Scope',
      'keys:write',
      '?unusedDays=90&expiresWithinDays=30&scope=keys%3Awrite',
      ['Cedar'],
      'Scope keys:write',
    ],
  ];
  for (const [group, name, place, names, chip] of steps) {
    await addFilter(page).click();
    await choice(page, group, name).click();
    await expectPath(page, `/settings/api${place}`);
    await keys.expectRows(page, names);
    await expectFocus(addFilter(page));
    assert.ok((await readTexts(chips(page))).some((text) => text.startsWith(chip)));
  }
  await page.getByRole('button', { name: 'Remove filter: Expires within' }).click();
  await expectPath(page, '/settings/api?unusedDays=90&scope=keys%3Awrite');
  await expectFocus(addFilter(page));
  await page.goBack();
  await expectPath(page, '/settings/api?unusedDays=90&expiresWithinDays=30&scope=keys%3Awrite');
  assert.equal(await chips(page).count(), 3);
  await page.reload();
  await keys.expectRows(page, ['Cedar']);
  await page.getByRole('button', { name: 'Clear all' }).click();
  await expectPath(page, '/settings/api');
  await keys.expectRows(page, ['Birch', 'Ash', 'Cedar']);
  await expectFocus(addFilter(page));
  assert.equal(await chips(page).count(), 0);
  await addFilter(page).click();
  assert.equal(await choice(page, 'Unused for', '90 days').getAttribute('aria-checked'), 'false');
});

test('keys can be filtered by their creator, which has a name', async (t) => {
  const { key: elder, apiKey } = await ada.createKey({ name: 'Elder', scopes: ['keys:write'] });
  t.after(() => ada.call('POST', `/v1/api-keys/${elder.id}/revoke`, { descendants: true }));
  const created = await call(`${dashboard.server.url}/v1/api-keys`, {
    method: 'POST',
    headers: bearer(apiKey),
    body: { name: 'Child of Elder' },
  });
  assert.equal(created.status, 201);
  const page = await dashboard.open(t, '/settings/api?q=Elder');
  await keys.expectRows(page, ['Child of Elder', 'Elder']);
  await addFilter(page).click();
  await choice(page, 'Created by', 'Elder').click();
  await expectPath(page, `/settings/api?q=Elder&createdBy=${elder.id}`);
  await keys.expectRows(page, ['Child of Elder']);
  await expectText(chips(page), /^Created by Elder/);
  await addFilter(page).click();
  await choice(page, 'Created by', 'You').click();
  await keys.expectRows(page, ['Elder']);
  await expectText(chips(page), /^Created by You/);
});

test('a status keeps the filters and the order, and an invalid filter is dropped', async (t) => {
  const page = await dashboard.open(
    t,
    '/settings/api?unusedDays=90&sort=name&scope=No%20scope&expiresWithinDays=0',
  );
  await keys.expectRows(page, ['Ash', 'Cedar']);
  assert.equal(await chips(page).count(), 1);
  await page.getByRole('navigation', { name: 'Status' }).getByRole('link', { name: /^All/ }).click();
  await expectPath(page, '/settings/api?unusedDays=90&sort=name&status=all');
  await keys.expectRows(page, ['Ash', 'Cedar']);
});

test('an empty result names the filters and clears them with one click', async (t) => {
  const page = await dashboard.open(t, '/settings/api?unusedDays=90&expiresWithinDays=7');
  const main = page.getByRole('main');
  await expectText(main, /No active keys match the filters "unused for 90 days", "expires within 7 days"\./);
  await page.goto(`${dashboard.server.url}/settings/api?q=Nowhere&scope=keys:read`);
  await expectText(main, /No active keys match "Nowhere" and the filter "scope keys:read"\./);
  await page.getByRole('link', { name: 'Clear search' }).click();
  await expectPath(page, '/settings/api?scope=keys%3Aread');
  await keys.expectRows(page, ['Ash']);
  await page.goto(`${dashboard.server.url}/settings/api?unusedDays=90&expiresWithinDays=7`);
  await page.getByRole('link', { name: 'Clear filters' }).click();
  await expectPath(page, '/settings/api');
  await keys.expectRows(page, ['Birch', 'Ash', 'Cedar']);
});

test('a row shows the requests of the last 24 hours, the expiry, and only a status that needs a look', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  const cell = (name: string, index: number) => keys.row(page, name).getByRole('cell').nth(index);
  await expectText(cell('Birch', 6), /^1,234 5 rejected$/);
  await expectText(cell('Ash', 6), /^0$/);
  await expectText(cell('Ash', 5), /^Never$/);
  assert.equal(await cell('Birch', 5).getByRole('time').getAttribute('datetime'), birch.expiresAt);
  await expectText(cell('Birch', 7), /^Expires in [23] days$/);
  await expectText(cell('Cedar', 7), /^Unused for 100 days$/);
  const { key } = await ada.createKey({ name: 'Douglas' });
  t.after(() => ada.revoke(key.id));
  await page.reload();
  await expectText(cell('Douglas', 7), /^Active$/);
  const widthOfStatus = async () => (await cell('Douglas', 7).locator('> span').boundingBox())?.width ?? 0;
  assert.ok((await widthOfStatus()) <= 1, 'only for screen readers');
  await page.goto(`${dashboard.server.url}/settings/api?status=all`);
  await expectText(cell('Douglas', 7), /^Active$/);
  assert.ok((await widthOfStatus()) > 10);
});

test('sorting and filtering work with the keyboard alone, with visible focus', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  const { keyboard } = page;
  await tabTo(addFilter(page));
  await keyboard.press('ArrowDown');
  await expectVisibleFocus(choice(page, 'Unused for', '30 days'));
  await keyboard.press('e');
  await keyboard.press('End');
  await expectVisibleFocus(choice(page, 'Scope', 'audit:read'));
  await keyboard.press('Home');
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await expectPath(page, '/settings/api?unusedDays=90');
  await expectVisibleFocus(addFilter(page));
  await keyboard.press('ArrowUp');
  await expectVisibleFocus(choice(page, 'Scope', 'audit:read'));
  await keyboard.press('Escape');
  await expectMenuClosed(keys.openMenu(page));
  await expectVisibleFocus(addFilter(page));
  await tabTo(page.getByRole('button', { name: 'Remove filter: Unused for' }), 'Shift+Tab');
  await keyboard.press('Enter');
  await expectPath(page, '/settings/api');
  await tabTo(sortButton(page, 'Name'));
  await keyboard.press('Enter');
  await expectPath(page, '/settings/api?sort=name&order=asc');
  await expectVisibleFocus(sortButton(page, 'Name'));
});

test('the list with filters and the filter menu are accessible', async (t) => {
  const page = await dashboard.open(
    t,
    `/settings/api?unusedDays=90&scope=keys:write&createdBy=${ash.createdBy}&status=all`,
  );
  await waitUntilLoaded(page);
  await expectAccessible(page);
  await addFilter(page).click();
  await page.getByRole('menu').waitFor();
  await expectAccessible(page);
});

test('on a phone, the order can be chosen, and a card shows what the list is sorted by', async (t) => {
  const page = await dashboard.open(t, '/settings/api', { viewport: { width: 390, height: 844 } });
  await waitUntilLoaded(page);
  const visible = async () => readTexts(keys.row(page, 'Birch').locator('td:visible'));
  assert.match((await visible()).join(), /just now|ago/);
  await sortButton(page, 'Expires').click();
  await keys.expectRows(page, ['Birch', 'Cedar', 'Ash']);
  assert.match((await visible()).join(), /\d+ \w+ \d{4}/);
  await sortButton(page, 'Last used').click();
  assert.match((await visible()).join(), /3 hours ago/);
  await sortButton(page, '24 hours').click();
  await keys.expectRows(page, ['Birch', 'Cedar', 'Ash']);
  assert.match((await visible()).join(), /1,234 requests in 24 hours/);
});
