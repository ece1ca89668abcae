/** M7: the columns and order of the list, its filters and the search. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msPerDay } from '@soku/contract/instant';
import { keySchema } from '@soku/contract/keys';
import type { Page } from 'playwright-core';
import { addKeysNamed } from '../support/named-keys.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import {
  expectFocus,
  expectHidden,
  expectPath,
  expectText,
  readDescription,
  readTexts,
  waitUntil,
} from './expect.ts';
import * as keys from './key-pages.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

/** Enough for several pages of the list. */
const many = 121;
await addKeysNamed(
  ada,
  Array.from({ length: many }, (_, index) => `Many ${index + 1}`),
);

const searchField = (page: Page) => page.getByRole('searchbox', { name: 'Search keys' });
const expectMain = (page: Page, pattern: RegExp) => expectText(page.getByRole('main'), pattern);
const filters = (page: Page) => page.getByRole('navigation', { name: 'Status' }).getByRole('link');

test('M7: the list shows name, preview, dates, use and status, newest first', async (t) => {
  await ada.createKey({ name: 'Order, older' });
  const { apiKey, key } = await ada.createKey({ name: 'Order, newer', scopes: ['keys:read'] });
  const page = await dashboard.open(t, '/settings/api?q=Order');
  await keys.expectRows(page, ['Order, newer', 'Order, older']);
  assert.deepEqual(await readTexts(page.getByRole('columnheader')), [
    'Name',
    'Key preview',
    'Created',
    'Last used',
    'Expires',
    '24 hours',
    'Status',
    'Actions',
  ]);
  const cells = await readTexts(keys.row(page, 'Order, newer').getByRole('cell'));
  const [, name, preview, , used, expires, day, status] = cells;
  assert.equal(name, 'Order, newer keys:read');
  assert.equal(preview, `sk_live_${apiKey.slice(8, 11)}...${apiKey.slice(-3)}`);
  assert.deepEqual([used, expires], ['Never', 'Never'], 'a word instead of a date');
  assert.equal(day, '0');
  assert.equal(status, 'Active', 'the status is a word, not only a color');
  const time = keys.row(page, 'Order, newer').getByRole('time');
  assert.equal(await time.getAttribute('datetime'), key.createdAt);
});

test("M7: dates are relative, and on hover exact in the user's time zone and in UTC", async (t) => {
  const { key } = await ada.createKey({ name: 'Dated' });
  const page = await dashboard.open(t, '/settings/api?q=Dated', { alone: true });
  await page.clock.setFixedTime(Date.parse(key.createdAt) + 3 * 24 * 60 * 60 * 1000 + 1000);
  await page.reload();
  const time = keys.row(page, 'Dated').getByRole('time');
  await expectText(time, /^3 days ago/);
  const [local = '', utc] = (await time.getAttribute('title'))?.split('\n') ?? [];
  const inBerlin = new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'medium',
    timeStyle: 'long',
    timeZone: 'Europe/Berlin',
  });
  assert.equal(local, inBerlin.format(new Date(key.createdAt)));
  assert.equal(utc, `${key.createdAt.slice(0, 19).replace('T', ' ')} UTC`);
});

test('M7: active keys are shown by default; each status filter is one click away and in the URL', async (t) => {
  await ada.createKey({ name: 'Filter active' });
  const { key } = await ada.createKey({ name: 'Filter revoked' });
  await ada.revoke(key.id);
  const page = await dashboard.open(t, '/settings/api?q=Filter');
  await keys.expectRows(page, ['Filter active']);
  await waitUntil(
    () => readTexts(filters(page)),
    (names) => names.join() === 'Active 1,Revoked 1,Expired 0,All 2',
    'counts',
  );
  await filters(page).filter({ hasText: 'Revoked' }).click();
  await expectPath(page, '/settings/api?q=Filter&status=revoked');
  await keys.expectRows(page, ['Filter revoked']);
  assert.match((await readTexts(keys.row(page, 'Filter revoked').getByRole('cell')))[7] ?? '', /^Revoked/);
  await filters(page).filter({ hasText: 'All' }).click();
  await expectPath(page, '/settings/api?q=Filter&status=all');
  await keys.expectRows(page, ['Filter revoked', 'Filter active']);
  assert.equal(await filters(page).filter({ hasText: 'All' }).getAttribute('aria-current'), 'page');
  await filters(page).filter({ hasText: 'Expired' }).click();
  await page.getByRole('heading', { name: 'No keys found' }).waitFor();
  await page.goBack();
  await keys.expectRows(page, ['Filter revoked', 'Filter active']);
  await page.goBack();
  await keys.expectRows(page, ['Filter revoked']);
  await page.goBack();
  await expectPath(page, '/settings/api?q=Filter');
  await keys.expectRows(page, ['Filter active']);
});

test('an expired key is listed as expired, with the date', async (t) => {
  const expiresAt = new Date(Date.now() + 60_000).toISOString();
  const { key } = await ada.createKey({ name: 'Expiring', expiresAt });
  await dashboard.database('UPDATE api_key SET expires_at = created_at + 1 WHERE id = ?', key.id);
  const page = await dashboard.open(t, '/settings/api?status=expired');
  const cells = keys.row(page, 'Expiring').getByRole('cell');
  await expectText(cells.nth(5), /^\d+ \w+ \d{4}$/);
  await expectText(cells.nth(7), /^Expired$/);
});

test('121 keys are loaded page by page, without duplicates or gaps', async (t) => {
  const page = await dashboard.open(t, '/settings/api?q=Many');
  const foot = page.getByRole('status').filter({ hasText: 'keys' });
  await expectText(foot, /^50 of 121 keys$/);
  await page.getByRole('button', { name: 'Load more' }).click();
  await expectText(foot, /^100 of 121 keys$/);
  await page.getByRole('button', { name: 'Load more' }).click();
  await expectText(foot, /^121 keys$/);
  await expectHidden(page.getByRole('button', { name: 'Load more' }));
  const expected = Array.from({ length: many }, (_, index) => `Many ${many - index}`);
  assert.deepEqual(await keys.rowNames(page), expected);
});

test('the search runs on the server after a pause in typing, and is in the URL', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  await keys.row(page, `Many ${many}`).waitFor();
  const searches: string[] = [];
  page.on('request', (request) => {
    const query = new URL(request.url()).searchParams;
    if (query.has('limit')) searches.push(query.get('q') ?? '');
  });
  await searchField(page).pressSequentially('MANY 7', { delay: 5 });
  await expectPath(page, '/settings/api?q=MANY+7');
  await keys.expectRows(page, [
    'Many 79',
    'Many 78',
    'Many 77',
    'Many 76',
    'Many 75',
    'Many 74',
    'Many 73',
    'Many 72',
    'Many 71',
    'Many 70',
    'Many 7',
  ]);
  assert.deepEqual(searches, ['MANY 7'], 'one request for the whole text');
  assert.equal(await searchField(page).inputValue(), 'MANY 7');
  await page.reload();
  await expectText(page.locator('tbody tr').first(), /Many 79/);
  assert.equal(await searchField(page).inputValue(), 'MANY 7');
});

test('a search without results shows a message and can be cleared with one click', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  await searchField(page).fill('100% nowhere');
  await page.getByRole('heading', { name: 'No keys found' }).waitFor();
  await expectMain(page, /No active keys match "100% nowhere"\. No keys with another status match either\./);
  assert.equal(await page.getByRole('link', { name: 'Search all keys' }).count(), 0);
  await page.getByRole('link', { name: 'Clear search' }).click();
  await expectPath(page, '/settings/api');
  await keys.row(page, `Many ${many}`).waitFor();
  assert.equal(await searchField(page).inputValue(), '');
});

test('Back after opening a key restores the search and the filter', async (t) => {
  const page = await dashboard.open(t, '/settings/api?q=Many+7&status=all');
  await page.getByRole('link', { name: 'Many 77', exact: true }).click();
  await expectText(keys.heading(page), /^Many 77$/);
  await page.goBack();
  await expectPath(page, '/settings/api?q=Many+7&status=all');
  await keys.row(page, 'Many 77').waitFor();
});

test('a key is renamed in the list, and only its name changes', async (t) => {
  const { key } = await ada.createKey({ name: 'Rename me' });
  const page = await dashboard.open(t, '/settings/api?q=Rename');
  await keys.choose(page, 'Rename', 'Rename me');
  await expectPath(page, `/settings/api?q=Rename&panel=rename&key=${key.id}`);
  await expectFocus(keys.nameField(page));
  assert.equal(await keys.nameField(page).inputValue(), 'Rename me');
  await page.keyboard.type('Renamed ');
  await page.keyboard.press('Enter');
  await expectHidden(keys.dialog(page));
  await keys.expectRows(page, ['Renamed']);
  await expectFocus(keys.menuButton(page, 'Renamed'));
  const renamed = keySchema.parse((await ada.call('GET', `/v1/api-keys/${key.id}`)).body);
  assert.deepEqual(renamed, { ...key, name: 'Renamed' });
});

for (const [what, name, problem] of [
  ['an empty name', ' ', /Must not be empty\./],
  ['a name of 101 characters', 'n'.repeat(101), /Must have at most 100 characters\./],
  ['a name that contains a key', '', /Must not contain an API key\./],
] satisfies Array<[string, string, RegExp]>) {
  test(`renaming to ${what} is rejected in the dialog and changes nothing`, async (t) => {
    const { apiKey, key } = await ada.createKey({ name: `Unchanged by ${what}` });
    const page = await dashboard.open(t, `/settings/api/${key.id}?panel=rename`, {
      expected: name === '' ? [httpErrorMessage(400)] : [],
    });
    await keys.nameField(page).fill(name === '' ? apiKey : name);
    await page.keyboard.press('Enter');
    await keys.dialog(page).getByText(problem).waitFor();
    assert.match(await readDescription(keys.nameField(page)), problem);
    await expectFocus(keys.nameField(page));
    assert.deepEqual(keySchema.parse((await ada.call('GET', `/v1/api-keys/${key.id}`)).body), key);
  });
}

test('the page of a key shows its details, but never the full key', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'All facts' });
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await expectMain(
    page,
    new RegExp(
      `All facts Active ${key.preview.replaceAll('.', '\\.')}.*Created by You \\(${dashboard.account.email}\\) Expires Never.*${key.id}`,
    ),
  );
  assert.equal(await page.title(), 'All facts, API key · Soku');
  assert.ok(!(await page.content()).includes(apiKey));
});

test('the page of an unknown key shows an error and links back to the list', async (t) => {
  const page = await dashboard.open(t, `/settings/api/key_${'0'.repeat(26)}`, {
    expected: [httpErrorMessage(404)],
  });
  await expectText(keys.heading(page), /^Key not found$/);
  await page.getByRole('link', { name: 'API keys' }).click();
  await expectPath(page, '/settings/api');
});

test('a search that matches only keys with another status shows their number and links to them', async (t) => {
  const { key } = await ada.createKey({ name: 'Ended elsewhere' });
  await ada.revoke(key.id);
  const page = await dashboard.open(t, '/settings/api?q=ended%20else');
  await expectMain(page, /No active keys match "ended else"\. 1 key with another status matches\./);
  await page.getByRole('link', { name: 'Search all keys' }).click();
  await expectPath(page, '/settings/api?q=ended+else&status=all');
  await keys.row(page, 'Ended elsewhere').waitFor();
  await page.getByRole('searchbox').fill('ended nowhere');
  await expectMain(page, /No keys match "ended nowhere"\. The search covers names, previews and IDs\./);
});

test('a revoke on another machine appears within seconds while the page is visible but not focused', async (t) => {
  const expiresAt = new Date(Date.now() + 3 * msPerDay).toISOString();
  const { key } = await ada.createKey({ name: 'Seen from afar', expiresAt });
  const shown = (page: Page) => page.locator('a, bdi').filter({ hasText: /^Seen from afar$/ });
  const open = async (path: string) => {
    const page = await dashboard.open(t, '/healthz', { alone: true });
    await page.clock.install();
    await page.goto(dashboard.server.url + path);
    await shown(page).waitFor();
    return page;
  };
  const pages = [await open('/settings/api?q=from%20afar'), await open('/')];
  await ada.revoke(key.id);
  for (const page of pages) {
    await page.clock.runFor(11_000);
    await expectHidden(shown(page));
  }
});

test('a key that expires before the list is refreshed is shown as expired', async (t) => {
  const expiresAt = new Date(Date.now() + 300_000).toISOString();
  await ada.createKey({ name: 'Short-lived', expiresAt });
  const page = await dashboard.open(t, '/healthz', { alone: true });
  await page.clock.install();
  await page.goto(`${dashboard.server.url}/settings/api?q=Short-lived`);
  const status = keys.row(page, 'Short-lived').getByRole('cell').nth(7);
  await expectText(status, /^Expires in a moment$|^Expires in \d minutes?$/);
  await page.route('**/v1/api-keys?*', () => {});
  await page.clock.fastForward(360_000);
  await expectText(status, /^Expired$/);
});

test('the audit log filter lists the newest 100 keys and links to the search for others', async (t) => {
  const { key } = await ada.createKey({ name: 'Long ago' });
  await dashboard.database('UPDATE api_key SET created_at = created_at - ? WHERE id = ?', msPerDay, key.id);
  const page = await dashboard.open(t, '/settings/audit');
  await page.getByRole('link', { name: 'Find another key' }).click();
  await page.getByRole('searchbox', { name: 'Search keys' }).fill('Long ago');
  await keys.expectRows(page, ['Long ago']);
  await page.getByRole('link', { name: 'Long ago', exact: true }).click();
  await page.getByRole('link', { name: 'Activity' }).click();
  await page.getByRole('link', { name: 'Audit log for this key' }).click();
  await expectText(
    page.getByRole('combobox', { name: 'Key' }).locator('option:checked'),
    /^Long ago, sk_live_/,
  );
  await expectText(page.locator('.entry__action code'), /^key\.created$/);
});
