/** Settings > API > More actions > Hygiene: the keys that need attention, each with its one action. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { msPerDay } from '@soku/contract/instant';
import { workspaceSchema } from '@soku/contract/workspaces';
import type { Page } from 'playwright-core';
import { inDays } from '../support/key-calls.ts';
import { runSql } from '../support/run-sql.ts';
import { expectAccessible } from './accessibility.ts';
import { Dashboard } from './dashboard.ts';
import { expectFocus, expectHidden, expectPath, expectText, readTexts, tabTo, waitUntil } from './expect.ts';
import * as keys from './key-pages.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada, server } = dashboard;

const kinds = (page: Page) => page.locator('.finding-kinds__choice');
const rows = (page: Page) => page.locator('.findings tbody tr');
/** Sets since when usage is complete, until the end of the test. The shared server has one such time. */
async function withUsageSince(t: TestContext, since: number): Promise<void> {
  const [row] = await runSql(server, 'SELECT complete_since FROM usage_history');
  const set = (at: number) => runSql(server, 'UPDATE usage_history SET complete_since = ?', at);
  await set(since);
  t.after(() => set(Number(row?.complete_since)));
}

const soon = inDays(30);

test('without findings, the page says so, and the overview leads to it', async (t) => {
  await ada.createKey({ name: 'In order', allowedAddresses: ['127.0.0.1'], expiresAt: soon });
  const page = await dashboard.open(t, '/');
  await page.getByRole('link', { name: 'All checks of your keys' }).click();
  await expectPath(page, '/settings/api/hygiene');
  await page.getByRole('heading', { name: 'No active key has an unfinished rotation.' }).waitFor();
  assert.equal((await readTexts(kinds(page))).length, 8);
  await kinds(page)
    .filter({ hasText: /Idle for 90 days/ })
    .click();
  await expectText(
    page.locator('.empty'),
    /No key is listed as idle for 90 days\. Only the time since .* counts/,
  );
  await expectAccessible(page);
});

test('each kind lists its keys with an action: a dialog here, or the place on the page of the key', async (t) => {
  const { key } = await ada.createKey({ name: 'Open' });
  const { key: unused } = await ada.createKey({
    name: 'Forgotten',
    allowedAddresses: ['127.0.0.1'],
    expiresAt: soon,
  });
  await withUsageSince(t, 1);
  await runSql(
    server,
    'UPDATE api_key SET created_at = ? WHERE id = ?',
    Date.now() - 9 * msPerDay,
    unused.id,
  );
  const page = await dashboard.open(t, '/settings/api/hygiene');
  await expectText(rows(page), /^Forgotten sk_live_\S+ .*Revoke Forgotten$/);
  await tabTo(page.getByRole('button', { name: 'Revoke Forgotten' }));
  await page.keyboard.press('Enter');
  await expectPath(page, `/settings/api/hygiene?panel=revoke&key=${unused.id}`);
  await keys.alertDialog(page).getByRole('button', { name: 'Revoke "Forgotten"' }).click();
  await expectText(keys.toast(page), /Revoked\. No server accepts it anymore/);
  await expectHidden(page.getByRole('button', { name: 'Revoke Forgotten' }));
  await expectFocus(keys.heading(page));

  // The kind stays, although another one has keys.
  await page.getByRole('heading', { name: 'No key is listed as never used.' }).waitFor();
  await kinds(page)
    .filter({ hasText: /1\s*Unrestricted/ })
    .click();
  await page.getByRole('link', { name: 'Edit access Open' }).waitFor();
  await kinds(page)
    .filter({ hasText: /1\s*Never expires/ })
    .click();
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Set expiration Open' }).click();
  await expectPath(page, `/settings/api/${key.id}?tab=access&panel=expiry`);
});

test('after an action, the focus moves from the row that disappears to the next one', async (t) => {
  await withUsageSince(t, 1);
  for (const [name, days] of [
    ['Idle longest', 40],
    ['Idle long', 35],
  ] as const) {
    const { key } = await ada.createKey({ name, allowedAddresses: ['127.0.0.1'], expiresAt: soon });
    const at = Date.now() - days * msPerDay;
    await runSql(server, 'UPDATE key_use SET used_at = ? WHERE key_id = ?', at, key.id);
  }
  const page = await dashboard.open(t, '/settings/api/hygiene?kind=idle_30_days');
  await page.getByRole('columnheader', { name: 'Idle since' }).waitFor();
  await tabTo(page.getByRole('button', { name: 'Disable Idle longest' }));
  await page.keyboard.press('Enter');
  await keys.alertDialog(page).getByRole('button', { name: 'Disable "Idle longest"' }).click();
  await expectHidden(page.getByRole('button', { name: 'Disable Idle longest' }));
  await expectFocus(page.getByRole('link', { name: 'Idle long', exact: true }));
  await page.getByRole('button', { name: 'Disable Idle long' }).click();
  await keys.alertDialog(page).getByRole('button', { name: 'Disable "Idle long"' }).click();
  await page.getByRole('heading', { name: 'No key is listed as idle for 30 days.' }).waitFor();
  await expectFocus(keys.heading(page));
});

test('a date that is later than the maximum lifetime allows is changed on the page of the key', async (t) => {
  const late = { name: 'Set long ago', allowedAddresses: ['127.0.0.1'], expiresAt: inDays(400) };
  const { key } = await ada.createKey(late);
  await ada.call('PATCH', '/v1/workspace', { maxKeyLifetimeDays: 90 });
  t.after(() => ada.call('PATCH', '/v1/workspace', { maxKeyLifetimeDays: null }));
  const page = await dashboard.open(t, '/settings/api/hygiene?panel=policies');
  await expectText(keys.dialog(page), /no one can set a later date\. 1 key expires later\./);
  await page.keyboard.press('Escape');
  await kinds(page)
    .filter({ hasText: /1\s*Expires too late/ })
    .click();
  await page.getByRole('columnheader', { name: 'Expires' }).waitFor();
  assert.equal(await rows(page).locator('time').getAttribute('datetime'), key.expiresAt);
  await expectText(
    page.locator('.findings__text'),
    /allows\. The maximum lifetime applies to new keys and new expiration dates\./,
  );
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Change expiration Set long ago' }).click();
  await expectPath(page, `/settings/api/${key.id}?tab=access&panel=expiry`);
  await page.getByRole('combobox', { name: 'Expires' }).selectOption('30 days');
  await page.getByRole('button', { name: 'Save' }).click();
  await expectHidden(page.getByRole('combobox', { name: 'Expires' }));
  await page.goBack();
  await page.getByRole('heading', { name: /No active key expires later/ }).waitFor();
});

test('policies are edited in a dialog that states their effect on existing keys', async (t) => {
  const page = await dashboard.open(t, '/settings/api/hygiene?panel=policies');
  const dialog = keys.dialog(page);
  const field = (name: string) => dialog.getByRole('textbox', { name });
  const [age, idle] = [
    field('Maximum age of secrets, in days'),
    field('Disable keys after this many days without use'),
  ];
  await expectText(dialog, /Existing keys keep their dates\. 1 key never expires\./);
  await age.fill('1e2');
  await idle.fill('0');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expectText(
    dialog,
    /Must be between 1 and 3,650 days\..*Use digits only, such as 90, or leave it empty\./s,
  );
  await expectFocus(idle);
  await idle.fill(' 60 ');
  await age.fill('90');
  // Someone else sets another policy meanwhile.
  await ada.call('PATCH', '/v1/workspace', { maxKeyLifetimeDays: 30 });
  await dialog.getByLabel('Expiration date of new keys').selectOption('required');
  await dialog.getByLabel('When GitHub reports a leaked key').selectOption('revoke');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expectText(keys.toast(page), /Policies saved\./);
  const { body } = await ada.call('GET', '/v1/workspace');
  const {
    id: _id,
    name: _name,
    rateLimit: _limit,
    defaultRateLimit: _default,
    ...set
  } = workspaceSchema.parse(body);
  assert.deepEqual(set, {
    maxSecretAgeDays: 90,
    maxKeyIdleDays: 60,
    maxKeyLifetimeDays: 30,
    requireKeyExpiry: true,
    revokeLeakedKeys: true,
  });
  await kinds(page)
    .filter({ hasText: /1\s*Never expires/ })
    .click();
  await expectText(
    page.locator('.findings__text'),
    /A policy requires an expiration date\. These keys were created before/,
  );
});

test('a date keeps its place and its input when the workspace begins to require one', async (t) => {
  await ada.call('PATCH', '/v1/workspace', { maxKeyLifetimeDays: null, requireKeyExpiry: false });
  const page = await dashboard.open(t, '/settings/api?panel=generate');
  const dialog = keys.dialog(page);
  await dialog.getByText('Scopes, expiration and other options').click();
  const expiry = dialog.getByRole('combobox', { name: 'Expires' });
  await expiry.selectOption('Custom date and time…');
  await dialog.getByLabel('Date and time').fill('2031-10-26T12:30');
  await ada.call('PATCH', '/v1/workspace', { requireKeyExpiry: true });
  // As after a change in another tab.
  await page.evaluate("new BroadcastChannel('soku.session').postMessage('changed')");
  const options = () => expiry.locator('option').allInnerTexts();
  await waitUntil(options, (all) => !all.some((text) => /never|no expir/i.test(text)), 'a date is required');
  assert.equal(await dialog.getByLabel('Date and time').inputValue(), '2031-10-26T12:30');
});
