/** Settings > API > Hygiene: the keys that someone should look at, each with its one action. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workspaceSchema } from '@soku/contract/workspaces';
import type { Page } from 'playwright-core';
import { inDatabase } from '../support/in-database.ts';
import { day } from '../support/key-calls.ts';
import { isAccessible } from './accessibility.ts';
import { Dashboard } from './dashboard.ts';
import { isAt, isGone, reads, tabTo, texts } from './expect.ts';
import * as keys from './key-pages.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada, server } = dashboard;

const kinds = (page: Page) => page.locator('.kinds__choice');
const rows = (page: Page) => page.locator('.findings tbody tr');
const soon = new Date(Date.now() + 30 * day).toISOString();

test('without findings, the page says so, and the overview leads to it', async (t) => {
  await ada.createKey({ name: 'In order', allowedAddresses: ['127.0.0.1'], expiresAt: soon });
  const page = await dashboard.open(t, '/');
  await page.getByRole('link', { name: 'All checks of your keys' }).click();
  await isAt(page, '/settings/api/hygiene');
  await page.getByRole('heading', { name: 'Every rotation is finished.' }).waitFor();
  assert.equal((await texts(kinds(page))).length, 7);
  await kinds(page)
    .filter({ hasText: /Idle for 90 days/ })
    .click();
  await reads(page.locator('.empty'), /No key has been idle for 90 days\. Usage is completely known since/);
  await isAccessible(page);
});

test('each kind lists its keys with an action: a dialog here, or the place on the page of the key', async (t) => {
  const { key } = await ada.createKey({ name: 'Open' });
  const { key: unused } = await ada.createKey({
    name: 'Forgotten',
    allowedAddresses: ['127.0.0.1'],
    expiresAt: soon,
  });
  const [row] = await inDatabase(server, 'SELECT complete_since FROM usage_history');
  await inDatabase(server, 'UPDATE usage_history SET complete_since = 1');
  t.after(() =>
    inDatabase(server, 'UPDATE usage_history SET complete_since = ?', Number(row?.complete_since)),
  );
  await inDatabase(server, 'UPDATE api_key SET created_at = ? WHERE id = ?', Date.now() - 9 * day, unused.id);
  const page = await dashboard.open(t, '/settings/api/hygiene');
  await reads(rows(page), /^Forgotten sk_live_\S+ .*Revoke Forgotten$/);
  await tabTo(page.getByRole('button', { name: 'Revoke Forgotten' }));
  await page.keyboard.press('Enter');
  await isAt(page, `/settings/api/hygiene?panel=revoke&key=${unused.id}`);
  await keys.alertDialog(page).getByRole('button', { name: 'Revoke "Forgotten"' }).click();
  await reads(keys.toast(page), /Revoked\. No server accepts it anymore/);
  await isGone(page.getByRole('button', { name: 'Revoke Forgotten' }));

  // The next kind that has any.
  await page.getByRole('link', { name: 'Edit access Open' }).waitFor();
  await kinds(page)
    .filter({ hasText: /1\s*Never expires/ })
    .click();
  await isAccessible(page);
  await page.getByRole('link', { name: 'Set expiry Open' }).click();
  await isAt(page, `/settings/api/${key.id}?tab=access&panel=expiry`);
});

test('policies are edited in a dialog that states their effect on existing keys', async (t) => {
  const page = await dashboard.open(t, '/settings/api/hygiene?panel=policies');
  const dialog = keys.dialog(page);
  const age = dialog.getByRole('textbox', { name: 'Maximum age of secrets, in days' });
  await reads(dialog, /Existing keys keep their dates\. 1 key never expires\./);
  await age.fill('0');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await reads(dialog, /Enter a number from 1 to 3,650, or nothing\./);
  await age.fill('90');
  await dialog.getByRole('combobox').selectOption('revoke');
  await isAccessible(page);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await reads(keys.toast(page), /Policies saved\./);
  const { body } = await ada.call('GET', '/v1/workspace');
  const { maxSecretAgeDays, maxKeyLifetimeDays, revokeLeakedKeys } = workspaceSchema.parse(body);
  assert.deepEqual([maxSecretAgeDays, maxKeyLifetimeDays, revokeLeakedKeys], [90, null, true]);
});
