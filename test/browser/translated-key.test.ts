/** The page of a key works after a browser's translator has rewritten it. */
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { Dashboard } from './dashboard.ts';
import { expectHidden, expectText } from './expect.ts';
import * as keys from './key-pages.ts';
import { ageRotation, graceField, rotate, rotateButton, verify } from './rotating.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true });

test('a rotated key that is unfinished, and an ended secret that is used, are pointed out in a translated page', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'Watched in translation' });
  await rotate(dashboard, key.id, { graceSeconds: 3600, startGrace: 'firstUse' });
  await ageRotation(dashboard, key.id, 2);
  const page = await dashboard.open(t, `/settings/api/${key.id}?tab=secrets`, { translated: true });
  await expectText(
    page.locator('.rotation'),
    /Rotation unfinished\. No program has used the new secret yet\./,
  );
  await button(page, 'Rename').click();
  await field(page, 'Name').fill('Renamed in translation');
  await page.keyboard.press('Enter');
  await expectText(keys.heading(page), /^Renamed in translation$/);
  await rotate(dashboard, key.id, { graceSeconds: 0 });
  await verify(dashboard, apiKey);
  await page.reload();
  await expectText(page.locator('.ended-use'), /A retired secret of this key is still in use\./);
});

test('a key can be restricted, disabled, rotated and finished in a translated page', async (t) => {
  const { key } = await ada.createKey({ name: 'Rotated in translation' });
  const page = await dashboard.open(t, `/settings/api/${key.id}?tab=access`, { translated: true });
  await button(page, 'Edit scopes').click();
  await page.locator('.segments__choice').getByText('All', { exact: true }).click();
  await expectText(
    page.locator('.scope-picker'),
    /Every scope of your API, including those that are added later\./,
  );
  await button(page, 'Save scopes').click();
  await expectText(page.locator('.fact').first(), /^Scopes \* All scopes of your API/);
  await button(page, 'Edit scopes').click();
  await page.locator('.segments__choice').getByText('None', { exact: true }).click();
  await button(page, 'Save scopes').click();
  await expectText(page.locator('.fact').first(), /^Scopes None\./);
  await button(page, 'Edit addresses').click();
  await field(page, 'Allowed addresses').fill('10.0.0.5/8');
  await button(page, 'Save addresses').click();
  await page.getByText(/10\.0\.0\.0\/8/).waitFor();
  await field(page, 'Allowed addresses').fill('10.0.0.0/8');
  await button(page, 'Save addresses').click();
  await expectText(page.locator('.fact').filter({ hasText: 'Allowed addresses' }), /10\.0\.0\.0\/8/);
  await button(page, 'Edit expiration').click();
  const expires = page.getByRole('combobox', { name: 'Expires' });
  await expires.selectOption('90 days');
  await page.getByText(/The key expires on .*\./).waitFor();
  await button(page, 'Save expiration').click();
  await expectText(page.locator('.fact').filter({ hasText: 'Expires' }), /\(in \d+ months\)/);
  await button(page, 'Edit expiration').click();
  await expires.selectOption('Never');
  await button(page, 'Save expiration').click();
  await expectText(page.locator('.fact').filter({ hasText: 'Expires' }), /^Expires Never/);
  for (const id of ['customer-7', '']) {
    await button(page, 'Edit external ID').click();
    await field(page, 'External ID').fill(id);
    await button(page, 'Save external ID').click();
    await expectText(page.locator('.fact').filter({ hasText: 'External ID' }), new RegExp(id || 'None'));
  }
  await button(page, 'Edit metadata').click();
  await field(page, 'Value 1').fill('without a name');
  await button(page, 'Save metadata').click();
  await page.getByText('Each value needs a name.').waitFor();
  await button(page, 'Add entry').click();
  await button(page, 'Remove entry 1').click();
  await button(page, 'Save metadata').click();
  await expectText(page.locator('.fact').filter({ hasText: 'Metadata' }), /None/);

  for (const [verb, status] of [
    ['Disable', /Disabled\. Requests are rejected with 403/],
    ['Enable', /Requests with this key are accepted/],
  ] as const) {
    await button(page, verb).click();
    await keys
      .alertDialog(page)
      .getByRole('button', { name: `${verb} "Rotated in translation"` })
      .click();
    await expectText(page.locator('.key-head'), status);
  }

  await page.getByRole('link', { name: 'Secrets' }).click();
  await button(page, 'Rotate key').click();
  await graceField(page).selectOption('Not at all: it stops working now');
  await expectText(keys.dialog(page), /fail with 401 until they have the new secret/);
  await graceField(page).selectOption('Custom…');
  await rotateButton(page).click();
  await keys.dialog(page).getByText('Enter the number of hours.').waitFor();
  await graceField(page).selectOption('1 hour');
  await page.locator('.segments__choice').getByText('Now', { exact: true }).click();
  await expectText(keys.dialog(page), /The old secret stops working on/);
  await rotateButton(page).click();
  await keys.readShownKey(page);
  await expectText(keys.dialog(page), /The old secret works until/);
  await keys.copyAndClose(page);
  await expectText(page.locator('.rotation'), /The old secret stops working in (00 ?h )?59 ?min/);
  await page.getByRole('button', { name: /^Retire now/ }).click();
  await keys.alertDialog(page).getByRole('button', { name: 'Retire secret' }).click();
  await expectHidden(page.locator('.rotation'));
  await expectText(page.locator('.next-secret'), /Rotate the key to replace its secret/);
});
