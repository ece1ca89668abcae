/** A key can be disabled and enabled again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import { expectFocus, expectHidden, expectPath, expectText, expectVisibleFocus, tabTo } from './expect.ts';
import * as keys from './key-pages.ts';
import { readKey, verify } from './rotating.ts';
import { expectToast } from './toasts.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const confirm = (page: Page, name: string) => keys.alertDialog(page).getByRole('button', { name });

test('a key can be disabled and enabled with the keyboard, and every server applies it at once', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'Paused' });
  assert.equal(await verify(dashboard, apiKey, 'worker/2.0'), 204);
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await tabTo(button(page, 'Disable'));
  await page.keyboard.press('Enter');
  await expectPath(page, `/settings/api/${key.id}?panel=disable`);
  await expectText(
    keys.alertDialog(page),
    /Disable this key\? .* 1 request in the last 24 hours, 1 in 7 days, last used .* with worker\/2\.0 .* 403 Forbidden/,
  );
  await expectFocus(confirm(page, 'Cancel'));
  await tabTo(confirm(page, 'Disable "Paused"'));
  await page.keyboard.press('Enter');
  await expectToast(page, /"Paused": Disabled\. No server accepts it until you enable it\./);
  assert.equal(await verify(dashboard, apiKey), 403);
  await expectText(page.locator('.key-head'), /Disabled\. Requests are rejected with 403\./);
  await expectHidden(keys.alertDialog(page));
  await expectVisibleFocus(button(page, 'Enable'));
  await page.keyboard.press('Enter');
  await expectText(keys.alertDialog(page), /Enable this key\? .* accepts the key again/);
  await tabTo(confirm(page, 'Enable "Paused"'));
  await page.keyboard.press('Enter');
  await expectToast(page, /"Paused": Enabled\. Every server accepts it again\./);
  assert.equal(await verify(dashboard, apiKey), 204);
  await expectText(page.locator('.key-head'), /Requests with this key are accepted\./);
});

test('the dialog for an expired key says that it stays rejected', async (t) => {
  const { key } = await ada.createKey({ name: 'Expired and paused' });
  const sql = 'UPDATE api_key SET disabled_at = created_at, expires_at = created_at WHERE id = ?';
  await dashboard.database(sql, key.id);
  const page = await dashboard.open(t, `/settings/api/${key.id}?panel=disable`);
  await expectText(
    keys.alertDialog(page),
    /The key has expired\. Every server rejects it until it gets a later expiration date\./,
  );
  await confirm(page, 'Enable "Expired and paused"').click();
  await expectToast(page, /"Expired and paused": Enabled\. It is rejected because it has expired\./);
  await button(page, 'Disable').click();
  await expectText(
    keys.alertDialog(page),
    /Once it is disabled, it stays rejected even with a later expiration date/,
  );
  await confirm(page, 'Disable "Expired and paused"').click();
  await expectToast(
    page,
    /"Expired and paused": Disabled\. It stays rejected even with a later expiration date, until/,
  );
});

test('on the list, a disabled key stays among the active ones', async (t) => {
  const { key } = await ada.createKey({ name: 'Paused in the list' });
  const page = await dashboard.open(t, `/settings/api?q=Paused%20in&panel=disable&key=${key.id}`);
  await confirm(page, 'Disable "Paused in the list"').click();
  await expectHidden(keys.alertDialog(page));
  await expectText(keys.row(page, 'Paused in the list'), /Disabled/);
});

test('a failure is shown in the dialog and nothing changes, and a revoked key cannot be disabled', async (t) => {
  const { key } = await ada.createKey({ name: 'Not paused' });
  const page = await dashboard.open(t, `/settings/api/${key.id}`, { expected: [httpErrorMessage(500)] });
  await page.route(`**/v1/api-keys/${key.id}`, async (route) => {
    if (route.request().method() === 'PATCH') await route.fulfill({ status: 500, json: {} });
    else await route.continue();
  });
  await button(page, 'Disable').click();
  await confirm(page, 'Disable "Not paused"').click();
  await expectText(keys.alertDialog(page).getByRole('alert'), /The server responded with 500/);
  assert.equal((await readKey(dashboard, key.id)).disabledAt, null);
  await ada.revoke(key.id);
  await page.goto(`${dashboard.server.url}/settings/api/${key.id}?panel=disable`);
  await expectText(keys.alertDialog(page), /This key is revoked, which is permanent\./);
  await keys.alertDialog(page).getByRole('button', { name: 'Close' }).click();
  await expectHidden(keys.alertDialog(page));
  assert.equal(await button(page, 'Disable').count(), 0);
});

test('if another tab disables the key, the button does not turn into its opposite', async (t) => {
  const { key } = await ada.createKey({ name: 'In two tabs' });
  const page = await dashboard.open(t, `/settings/api/${key.id}?panel=disable`);
  await confirm(page, 'Disable "In two tabs"').waitFor();
  const other = await page.context().newPage();
  await other.goto(page.url());
  await confirm(other, 'Disable "In two tabs"').click();
  await expectText(page.locator('.key-head'), /Disabled\. Requests are rejected with 403\./);
  await confirm(page, 'Disable "In two tabs"').click();
  await expectToast(page, /"In two tabs": Disabled\./);
  assert.notEqual((await readKey(dashboard, key.id)).disabledAt, null);
});
