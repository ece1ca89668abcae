/** The list, the scopes and the import in a page that the browser translates. See translated.test.ts. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { Dashboard } from './dashboard.ts';
import { expectHidden, expectPath, expectText, readTexts, waitUntil } from './expect.ts';
import * as keys from './key-pages.ts';
import { expectKeyNotInBrowser } from './leaks.ts';
import { rotateButton } from './rotating.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

test('keys are selected, filtered, disabled and revoked in a translated page', async (t) => {
  for (const name of ['Translated 3', 'Translated 2', 'Translated 1']) await ada.createKey({ name });
  const page = await dashboard.open(t, '/settings/api', { translated: true });
  await keys.checkBox(page, 'Translated 1').click();
  await expectText(keys.bulkBar(page), /^1 key selected never used Revoke 1 key$/);
  await keys.checkBox(page, 'Translated 3').click({ modifiers: ['Shift'] });
  await expectText(keys.bulkBar(page), /^3 keys selected never used Revoke 3 keys$/);
  await keys.checkBox(page, 'Translated 1').click();
  await expectText(keys.bulkBar(page), /^2 keys selected never used Revoke 2 keys$/);
  await button(page, 'Revoke 2 keys').click();
  await expectText(keys.alertDialog(page).getByRole('heading'), /^Revoke 2 keys\?$/);
  const names = page.locator('.revoke-keys__name');
  assert.deepEqual((await readTexts(names)).toSorted(), ['Translated 2', 'Translated 3']);
  assert.equal(await names.locator('font').count(), 0, 'names are not translated');
  await keys.alertDialog(page).getByRole('button', { name: 'Revoke 2 keys' }).click();
  await expectText(keys.toast(page), /^2 keys revoked\./);
  await expectHidden(keys.bulkBar(page));

  await keys.choose(page, 'Disable', 'Translated 1');
  await keys.alertDialog(page).getByRole('button', { name: 'Disable "Translated 1"' }).click();
  await expectText(keys.row(page, 'Translated 1').getByRole('cell').nth(7), /^Disabled$/);
  await button(page, 'Add filter').click();
  await page.getByRole('menuitemradio', { name: 'Disabled' }).click();
  await expectText(page.locator('.chip:has(.chip__remove)'), /^Status Disabled Remove filter: Status$/);
  await keys.choose(page, 'Enable', 'Translated 1');
  await keys.alertDialog(page).getByRole('button', { name: 'Enable "Translated 1"' }).click();
  await page.getByRole('heading', { name: 'No disabled keys' }).waitFor();
  await page.getByRole('button', { name: /^Remove filter/ }).click();
  await keys.row(page, 'Translated 1').waitFor();

  await button(page, 'More actions').click();
  await keys.menuItem(page, 'Revoke all keys').click();
  const confirmation = keys.alertDialog(page).getByRole('textbox');
  await keys.alertDialog(page).getByRole('button', { name: 'Revoke all keys' }).click();
  await keys.alertDialog(page).getByText('Does not match the name below.').waitFor();
  const hint = keys.alertDialog(page).locator('.field__hint');
  assert.equal(await hint.locator('font').count(), 0, 'the name to enter is not translated');
  await confirmation.fill((await readTexts(hint)).join());
  await keys.alertDialog(page).getByRole('button', { name: 'Revoke all keys' }).click();
  await expectText(keys.toast(page), /^1 key revoked\. No server accepts it anymore\.$/);
});

test('the list is sorted and a key rotated from its row in a translated page, and its secret is nowhere afterwards', async (t) => {
  for (const name of ['Sorted B', 'Sorted A']) await ada.createKey({ name });
  const page = await dashboard.open(t, '/settings/api?q=Sorted', { translated: true });
  const head = page.getByRole('columnheader', { name: 'Name', exact: true });
  for (const [order, names] of [
    ['asc', 'Sorted A,Sorted B'],
    ['desc', 'Sorted B,Sorted A'],
  ] as const) {
    await head.getByRole('button').click();
    await expectPath(page, `/settings/api?q=Sorted&sort=name&order=${order}`);
    await waitUntil(
      () => keys.rowNames(page),
      (rows) => rows.join() === names,
      order,
    );
  }
  await keys.choose(page, 'Rotate', 'Sorted A');
  await rotateButton(page).click();
  const apiKey = await keys.readShownKey(page);
  await keys.copyAndClose(page);
  await keys.row(page, 'Sorted A').waitFor();
  await expectKeyNotInBrowser(page, apiKey, 'after the rotation');
});

test('scopes are added, edited and removed in a translated page', async (t) => {
  const page = await dashboard.open(t, '/settings/api/scopes', { translated: true });
  await button(page, 'Add your first scope').click();
  const field = (name: string) => keys.dialog(page).getByRole('textbox', { name, exact: true });
  await field('Name').fill('Wrong');
  await keys.dialog(page).getByRole('button', { name: 'Add scope' }).click();
  await keys.dialog(page).getByText('Must be a scope').waitFor();
  await field('Name').fill('files:read');
  await keys.dialog(page).getByRole('button', { name: 'Add scope' }).click();
  await expectText(page.locator('.scope-list__text').first(), /^No description$/);
  await button(page, 'Edit files:read').click();
  await field('Description').fill('Read files');
  await page.keyboard.press('Enter');
  await expectText(page.locator('.scope-list__text').first(), /^Read files$/);
  await button(page, 'Remove files:read').click();
  await keys.alertDialog(page).getByRole('button', { name: 'Remove scope' }).click();
  await page.getByRole('heading', { name: 'No scopes yet' }).waitFor();
});

test('keys are imported in a translated page', async (t) => {
  const page = await dashboard.open(t, '/settings/api/import', { translated: true });
  const choose = (text: string) =>
    page
      .getByLabel('File to import')
      .setInputFiles({ name: 'keys.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
  await choose('name,hash');
  await expectText(page.getByRole('alert').first(), /^The file contains no keys\.$/);
  const hash = createHash('sha256').update('translated').digest('hex');
  await choose(`name,hash\nImported,${hash}\nWrong,x`);
  await button(page, 'Check 2 keys').click();
  await expectText(page.locator('tbody tr'), /^3 hash must be a SHA-256/);
  await button(page, 'Choose the corrected file').click();
  await choose(`label,hash\nImported,${hash}`);
  await page.getByRole('combobox', { name: 'Field of the column label' }).selectOption('Not imported');
  await page.getByText('No column contains the name.').waitFor();
  await page.getByRole('combobox', { name: 'Field of the column label' }).selectOption('name');
  await button(page, 'Check 1 key').click();
  await button(page, 'Import 1 key').click();
  await page.getByRole('heading', { name: '1 key imported' }).waitFor();
  await page.getByRole('link', { name: 'Show the keys' }).click();
  await expectPath(page, '/settings/api');
  await keys.row(page, 'Imported').waitFor();
});

test('the maximum lifetime is changed in a translated page', async (t) => {
  const page = await dashboard.open(t, '/settings/api?panel=policies', { translated: true });
  const dialog = keys.dialog(page);
  const days = dialog.locator('[name="maxKeyLifetimeDays"]');
  await days.fill('0');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('Must be between 1 and 3,650 days.').waitFor();
  await days.fill('90');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expectText(page.locator('.workspace-limit').last(), /^Maximum lifetime: 90 days/);
});
