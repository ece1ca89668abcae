/** Several keys are selected in the list and revoked at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keySchema } from '@soku/contract/keys';
import type { Page } from 'playwright-core';
import { expectAccessible } from './accessibility.ts';
import { Dashboard, networkErrorMessage } from './dashboard.ts';
import {
  expectFocus,
  expectHidden,
  expectPath,
  expectText,
  expectVisibleFocus,
  readTexts,
  tabTo,
  waitUntil,
} from './expect.ts';
import * as keys from './key-pages.ts';
import { recordHours, recordLastUse } from './recorded-usage.ts';
import { expectToast } from './toasts.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

/** Creates keys whose names start with a word, so that a search finds only them, in this order. */
async function createKeys(word: string, count: number) {
  const created = [];
  for (let n = count; n >= 1; n -= 1) created.unshift((await ada.createKey({ name: `${word} ${n}` })).key);
  return created;
}

async function keyOf(id: string) {
  return keySchema.parse((await ada.call('GET', `/v1/api-keys/${id}`)).body);
}

const select = async (page: Page, ...names: string[]) => {
  for (const name of names) await keys.checkBox(page, name).click();
};

const selected = (page: Page) => readTexts(page.locator('tbody tr:has(:checked)').getByRole('link'));

const dialogButton = (page: Page, name: string) => keys.alertDialog(page).getByRole('button', { name });

test('rows are selected one by one, with Shift as a range, and all at once', async (t) => {
  await createKeys('Range', 6);
  const page = await dashboard.open(t, '/settings/api?q=Range');
  await keys.row(page, 'Range 2').waitFor();
  await page.evaluate(
    `document.querySelectorAll('[role=status]').forEach((region) => region.dataset.before = '')`,
  );
  await select(page, 'Range 2');
  await expectText(page.locator('[data-before]').filter({ hasText: 'selected' }), /^1 key selected$/);
  await expectText(keys.bulkBar(page), /^1 key selected never used/);
  await keys.checkBox(page, 'Range 5').click({ modifiers: ['Shift'] });
  assert.deepEqual(await selected(page), ['Range 2', 'Range 3', 'Range 4', 'Range 5']);
  await keys.checkBox(page, 'Range 4').click({ modifiers: ['Shift'] });
  assert.deepEqual(await selected(page), ['Range 2', 'Range 3']);
  assert.equal(
    await keys.selectAll(page).evaluate((box) => 'indeterminate' in box && box.indeterminate),
    true,
  );
  await keys.selectAll(page).click();
  await expectText(keys.bulkBar(page), /^6 keys selected/);
  await expectPath(page, '/settings/api?q=Range');
  await keys.bulkBar(page).getByRole('button', { name: 'Clear selection' }).click();
  await expectHidden(keys.bulkBar(page));
  assert.deepEqual(await selected(page), []);
});

test('the selection stays while the list is sorted, and ends with another search or status', async (t) => {
  await createKeys('Stay', 3);
  const page = await dashboard.open(t, '/settings/api?q=Stay');
  await select(page, 'Stay 3');
  await page.getByRole('button', { name: 'Name', exact: true }).click();
  await expectPath(page, '/settings/api?q=Stay&sort=name&order=asc');
  assert.deepEqual(await selected(page), ['Stay 3']);
  await page.getByRole('navigation', { name: 'Status' }).getByRole('link', { name: 'All' }).click();
  await expectHidden(keys.bulkBar(page));
  assert.deepEqual(await selected(page), []);
});

test('the dialog shows the busiest keys; all selected keys are revoked with the reason, and the page says so', async (t) => {
  const [first, second, third, other] = await createKeys('Bulk', 4);
  assert.ok(first && second && third && other);
  await recordHours(dashboard, second.id, [{ hoursAgo: 1, accepted: 1204 }]);
  await recordLastUse(dashboard, second.id, { at: Date.now() - 120_000, address: '192.0.2.1', agent: '' });
  const page = await dashboard.open(t, '/settings/api?q=Bulk');
  await select(page, 'Bulk 1', 'Bulk 2', 'Bulk 3');
  await expectText(
    keys.bulkBar(page),
    /^3 keys selected 1,204 requests in the last 24 hours, last used 2 minutes ago Revoke 3 keys$/,
  );
  await expectAccessible(page);
  await keys.bulkBar(page).getByRole('button', { name: 'Revoke 3 keys' }).click();
  await expectPath(page, '/settings/api?q=Bulk&panel=revoke-selected');
  await expectFocus(dialogButton(page, 'Cancel'));
  const listed = await readTexts(keys.alertDialog(page).getByRole('listitem'));
  assert.match(listed[0] ?? '', /^Bulk 2 .*1,204 requests, last used 2 minutes ago$/);
  assert.match(listed[1] ?? '', /^Bulk [13] .*Never used$/);
  await expectAccessible(page);
  await keys.alertDialog(page).getByRole('combobox', { name: 'Reason' }).selectOption('leaked');
  await dialogButton(page, 'Revoke 3 keys').click();
  await expectToast(page, /^3 keys revoked\. No server accepts them anymore\.$/);
  for (const { id } of [first, second, third]) {
    const { status, revokedReason } = await keyOf(id);
    assert.deepEqual([status, revokedReason], ['revoked', 'leaked']);
  }
  assert.equal((await keyOf(other.id)).status, 'active');
  await expectPath(page, '/settings/api?q=Bulk');
  await waitUntil(
    () => keys.rowNames(page),
    (names) => names.join() === 'Bulk 4',
    'only the other key is listed',
  );
  await expectHidden(keys.bulkBar(page));
  await expectFocus(keys.heading(page));
});

test('a key that someone else has revoked in the meantime is counted separately', async (t) => {
  const [, second] = await createKeys('Meantime', 2);
  const page = await dashboard.open(t, '/settings/api?q=Meantime');
  await select(page, 'Meantime 1', 'Meantime 2');
  await keys.bulkBar(page).getByRole('button', { name: 'Revoke 2 keys' }).click();
  await keys.alertDialog(page).waitFor();
  await ada.revoke(second?.id ?? '');
  await dialogButton(page, 'Revoke 2 keys').click();
  await expectToast(
    page,
    /^1 key revoked\. No server accepts them anymore\. 1 key had been revoked before\.$/,
  );
});

test('a failed call is reported in the dialog, and can be repeated', async (t) => {
  const [first] = await createKeys('Lost', 2);
  const page = await dashboard.open(t, '/settings/api?q=Lost', { expected: [networkErrorMessage] });
  await keys.selectAll(page).click();
  await keys.bulkBar(page).getByRole('button', { name: 'Revoke 2 keys' }).click();
  await page.route('**/v1/api-keys/revoke', (route) => route.abort());
  await dialogButton(page, 'Revoke 2 keys').click();
  await expectText(keys.alertDialog(page).getByRole('alert'), /The server did not respond/);
  assert.equal((await keyOf(first?.id ?? '')).status, 'active');
  await page.unroute('**/v1/api-keys/revoke');
  await dialogButton(page, 'Revoke 2 keys').click();
  await expectToast(page, /^2 keys revoked\./);
});

test('keys are selected and revoked with the keyboard alone', async (t) => {
  const created = await createKeys('Typed', 3);
  const page = await dashboard.open(t, '/settings/api?q=Typed');
  await tabTo(keys.checkBox(page, 'Typed 1'));
  await page.keyboard.press('Space');
  await tabTo(keys.checkBox(page, 'Typed 3'));
  await page.keyboard.press('Shift+Space');
  assert.deepEqual(await selected(page), ['Typed 1', 'Typed 2', 'Typed 3']);
  await page.keyboard.press('Delete');
  await expectFocus(dialogButton(page, 'Cancel'));
  await page.keyboard.press('Escape');
  await expectHidden(keys.alertDialog(page));
  await expectVisibleFocus(keys.checkBox(page, 'Typed 3'));
  await page.keyboard.press('Delete');
  await expectFocus(dialogButton(page, 'Cancel'));
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expectToast(page, /^3 keys revoked\./);
  for (const { id } of created) assert.equal((await keyOf(id)).status, 'revoked');
});

test('on a phone, a finger can select a row, and the bar covers neither a row with the focus nor the end', async (t) => {
  await createKeys('Finger', 12);
  const page = await dashboard.open(t, '/settings/api?q=Finger', { viewport: { width: 390, height: 844 } });
  const target = await page.locator('tbody .keys__check .check').first().boundingBox();
  assert.ok(target && target.width >= 44 && target.height >= 44, JSON.stringify(target));
  await select(page, 'Finger 1');
  const bar = await keys.bulkBar(page).boundingBox();
  assert.ok(bar && bar.x >= 0 && bar.x + bar.width <= 390, JSON.stringify(bar));
  for (let n = 2; n <= 12; n += 1) {
    const link = page.getByRole('link', { name: `Finger ${n}`, exact: true });
    await link.focus();
    const box = await link.boundingBox();
    assert.ok(box && box.y + box.height <= bar.y, `Finger ${n} is above the bar`);
  }
  await page.evaluate('window.scrollTo(0, document.body.scrollHeight)');
  const last = await page.locator('.workspace-limit').last().boundingBox();
  assert.ok(last && last.y + last.height <= bar.y, 'the end of the page is above the bar');
});

test('the dialog lists the five busiest keys, and counts the others', async (t) => {
  const [first] = await createKeys('Counted', 7);
  await recordHours(dashboard, first?.id ?? '', [{ hoursAgo: 1, accepted: 3 }]);
  await recordLastUse(dashboard, first?.id ?? '', { at: Date.now() - 120_000 });
  const page = await dashboard.open(t, '/settings/api?q=Counted');
  await keys.selectAll(page).click();
  await keys.bulkBar(page).getByRole('button', { name: 'Revoke 7 keys' }).click();
  const listed = keys.alertDialog(page).getByRole('listitem');
  await expectText(listed.first(), /^Counted 1 .*3 requests, last used 2 minutes ago$/);
  assert.equal(await listed.count(), 5);
  await keys.alertDialog(page).getByText('and 2 more, none busier than these.').waitFor();
});

test('after a reload, the dialog does not open with the first key that is selected', async (t) => {
  await createKeys('Reloaded', 2);
  const page = await dashboard.open(t, '/settings/api?q=Reloaded&panel=revoke-selected');
  await expectPath(page, '/settings/api?q=Reloaded');
  await select(page, 'Reloaded 1');
  await keys.bulkBar(page).getByRole('button', { name: 'Revoke 1 key' }).click();
  await dialogButton(page, 'Cancel').click();
  await keys.bulkBar(page).getByRole('button', { name: 'Clear selection' }).click();
  await page.goForward();
  await expectPath(page, '/settings/api?q=Reloaded');
  await select(page, 'Reloaded 2');
  await expectText(keys.bulkBar(page), /^1 key selected/);
  await expectPath(page, '/settings/api?q=Reloaded');
  await expectHidden(keys.alertDialog(page));
});
