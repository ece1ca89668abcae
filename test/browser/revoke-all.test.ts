/** All keys of the workspace are revoked at once, after its name was entered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyListSchema, keySchema } from '@soku/contract/keys';
import { expectAccessible } from './accessibility.ts';
import { Dashboard } from './dashboard.ts';
import { expectFocus, expectHidden, expectPath, expectText, readTexts } from './expect.ts';
import * as keys from './key-pages.ts';
import { recordHours } from './recorded-usage.ts';
import { expectToast } from './toasts.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

async function countKeys() {
  const response = await ada.call('GET', '/v1/api-keys?status=all&include=counts');
  return keyListSchema.parse(response.body).counts;
}

test('revoking all keys shows what it affects, and requires the name of the workspace', async (t) => {
  const { key } = await ada.createKey({ name: 'First' });
  await ada.createKey({ name: 'Second' });
  const { key: disabled } = await ada.createKey({ name: 'Third' });
  await ada.call('PATCH', `/v1/api-keys/${disabled.id}`, { disabled: true });
  const { key: ended } = await ada.createKey({ name: 'Fourth' });
  await ada.revoke(ended.id);
  await recordHours(dashboard, key.id, [{ hoursAgo: 2, accepted: 1204 }]);

  const page = await dashboard.open(t, '/settings/api');
  await page.getByRole('button', { name: 'More actions' }).click();
  await expectAccessible(page);
  await keys.menuItem(page, 'Revoke all keys').click();
  await expectPath(page, '/settings/api?panel=revoke-all');
  const dialog = keys.alertDialog(page);
  await expectFocus(dialog.getByRole('button', { name: 'Cancel' }));
  await expectText(dialog.getByRole('status').first(), /^3 keys, 1,204 requests in the last 24 hours$/);
  await expectAccessible(page);

  const revoke = dialog.getByRole('button', { name: 'Revoke all keys' });
  await revoke.click();
  const field = dialog.getByRole('textbox', { name: 'To confirm, enter the name of the workspace' });
  await expectFocus(field);
  await dialog.getByText('Does not match the name below.').waitFor();
  await field.fill('another workspace');
  await revoke.click();
  await dialog.getByText('Does not match the name below.').waitFor();
  assert.equal((await countKeys())?.revoked, 1);

  const [name = ''] = await readTexts(dialog.locator('.field__hint'));
  await dialog.getByRole('combobox', { name: 'Reason' }).selectOption('leaked');
  await field.fill(name);
  await page.keyboard.press('Enter');
  await expectHidden(dialog);
  await expectToast(page, /^3 keys revoked\. No server accepts them anymore\.$/);
  await expectFocus(keys.heading(page));
  assert.deepEqual(await countKeys(), { active: 0, disabled: 0, revoked: 4, expired: 0, all: 4 });
  const { revokedReason } = keySchema.parse((await ada.call('GET', `/v1/api-keys/${key.id}`)).body);
  assert.equal(revokedReason, 'leaked');
  await page.getByRole('heading', { name: 'No active keys' }).waitFor();
});
