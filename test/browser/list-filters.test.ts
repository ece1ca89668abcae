/**
 * The key list: filters by status, scope, environment and external ID, disabling a key, and rotations. Its server has a
 * prefix for test keys, which the key checker of the help accepts as well.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { keyListSchema, keySchema } from '@soku/contract/keys';
import { generateKey } from '@soku/key';
import type { Page } from 'playwright-core';
import { expectAccessible } from './accessibility.ts';
import { Dashboard } from './dashboard.ts';
import { expectFocus, expectHidden, expectPath, expectText, readTexts, tabTo, waitUntil } from './expect.ts';
import * as keys from './key-pages.ts';
import { recordHours } from './recorded-usage.ts';
import { expectToast } from './toasts.ts';

const dashboard = await Dashboard.start({ SOKU_TEST_KEY_PREFIX: 'sk_test_' });
after(() => dashboard.stop());
const { ada } = dashboard;

await ada.call('PUT', '/v1/scopes', { scopes: [{ name: 'files:read' }, { name: 'files:write' }] });
await ada.createKey({ name: 'Plain' });
await ada.createKey({ name: 'Scoped', scopes: ['files:read'] });
await ada.createKey({ name: 'Sandbox', environment: 'test' });
await ada.createKey({ name: 'Customer', externalId: 'cus_42' });

const shows = (page: Page, ...names: string[]) =>
  waitUntil(
    () => keys.rowNames(page),
    (rows) => rows.toSorted().join() === names.toSorted().join(),
    `the list shows ${names.join()}`,
  );

async function add(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Add filter' }).click();
  await page.getByRole('menuitemradio', { name, exact: true }).click();
}

const chips = (page: Page) => readTexts(page.locator('.filters .chip:has(.chip__remove)'));

test('the list is filtered by a scope of the catalog, environment and external ID, as chips in the address', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  for (const [choice, address, chip, name] of [
    ['files:read', 'scope=files%3Aread', 'Scope files:read Remove filter: Scope', 'Scoped'],
    ['Test', 'environment=test', 'Environment Test Remove filter: Environment', 'Sandbox'],
    ['cus_42', 'externalId=cus_42', 'External ID cus_42 Remove filter: External ID', 'Customer'],
  ] as const) {
    await add(page, choice);
    await expectPath(page, `/settings/api?${address}`);
    await shows(page, name);
    assert.deepEqual(await chips(page), [chip]);
    await page.getByRole('button', { name: /^Remove filter/ }).click();
    await expectPath(page, '/settings/api');
    await expectFocus(page.getByRole('button', { name: 'Add filter' }));
    await shows(page, 'Plain', 'Scoped', 'Sandbox', 'Customer');
  }
});

test('a key is disabled and enabled in its row; disabled keys are a filter, with the keyboard', async (t) => {
  const { key } = await ada.createKey({ name: 'Switched' });
  const page = await dashboard.open(t, '/settings/api?q=Switched');
  await keys.choose(page, 'Disable', 'Switched');
  await expectPath(page, `/settings/api?q=Switched&panel=disable&key=${key.id}`);
  await expectAccessible(page);
  await keys.alertDialog(page).getByRole('button', { name: 'Disable "Switched"' }).click();
  await expectToast(page, /^"Switched": Disabled\. No server accepts it/);
  await expectText(keys.row(page, 'Switched').getByRole('cell').nth(7), /^Disabled$/);
  await expectFocus(keys.menuButton(page, 'Switched'));
  const stored = keySchema.parse((await ada.call('GET', `/v1/api-keys/${key.id}`)).body);
  assert.equal(stored.status, 'disabled');

  await page.goto(`${dashboard.server.url}/settings/api`);
  await tabTo(page.getByRole('button', { name: 'Add filter' }));
  await page.keyboard.press('Enter');
  await page.keyboard.type('d');
  await expectFocus(page.getByRole('menuitemradio', { name: 'Disabled' }));
  await page.keyboard.press('Enter');
  await expectPath(page, '/settings/api?status=disabled');
  await shows(page, 'Switched');
  assert.deepEqual(await chips(page), ['Status Disabled Remove filter: Status']);
  await expectAccessible(page);
  await keys.choose(page, 'Enable', 'Switched');
  await keys.alertDialog(page).getByRole('button', { name: 'Enable "Switched"' }).click();
  await expectToast(page, /^"Switched": Enabled\./);
  await page.getByRole('heading', { name: 'No disabled keys' }).waitFor();
  await page.goBack();
  await expectPath(page, '/settings/api');
});

test('a rotation is started from the row, shown in the list, and found by the filter', async (t) => {
  const { key } = await ada.createKey({ name: 'Rotating' });
  const page = await dashboard.open(t, '/settings/api?q=Rotating');
  await keys.choose(page, 'Rotate', 'Rotating');
  await expectPath(page, `/settings/api?q=Rotating&panel=rotate&key=${key.id}`);
  await keys.dialog(page).waitFor();
  await page.keyboard.press('Escape');
  await expectHidden(keys.dialog(page));
  await ada.call('POST', `/v1/api-keys/${key.id}/rotate`, { graceSeconds: 86_400 });
  await page.goto(`${dashboard.server.url}/settings/api?rotating=true`);
  await shows(page, 'Rotating');
  assert.deepEqual(await chips(page), ['Rotation In progress Remove filter: Rotation']);
  await expectText(
    keys.row(page, 'Rotating').getByRole('cell').nth(7),
    /^Old secret stops (tomorrow|in 2[34] hours)$/,
  );
  // The new secret has not been used for more than an hour.
  await dashboard.database(
    'UPDATE api_key_secret SET created_at = created_at - 7200000 WHERE key_id = ?',
    key.id,
  );
  await page.reload();
  await expectText(keys.row(page, 'Rotating').getByRole('cell').nth(7), /^Rotation unfinished$/);
  await page.goto(`${dashboard.server.url}/`);
  const item = page.getByRole('listitem').filter({ hasText: 'has an unfinished rotation' });
  await expectText(
    item,
    /^Rotating has an unfinished rotation Rotated 2 hours ago, but no program uses the new secret yet\./,
  );
  await item.getByRole('link').click();
  await expectPath(page, `/settings/api/${key.id}?tab=secrets`);
});

test('the overview reports a retired secret and a disabled key that programs still send', async (t) => {
  const { key: retired } = await ada.createKey({ name: 'Old secret' });
  await recordHours(dashboard, retired.id, [{ hoursAgo: 1, accepted: 5, refused: 3, code: 'revoked_key' }]);
  const { key: disabled } = await ada.createKey({ name: 'Paused' });
  await ada.call('PATCH', `/v1/api-keys/${disabled.id}`, { disabled: true });
  await recordHours(dashboard, disabled.id, [{ hoursAgo: 1, accepted: 0, refused: 1, code: 'disabled_key' }]);
  const page = await dashboard.open(t, '/');
  const item = (name: string) => page.locator('.attention__item').filter({ hasText: name });
  await expectText(
    item('Old secret'),
    /^Old secret is still used with a retired secret 3 rejected requests in the last 24 hours\. A program still sends the old secret\./,
  );
  await expectText(
    item('Paused'),
    /^Paused is disabled but still used 1 rejected request in the last 24 hours\./,
  );
});

test('the maximum lifetime of keys is set among the policies, and holds for new keys', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  t.after(() => ada.call('PATCH', '/v1/workspace', { maxKeyLifetimeDays: null, requireKeyExpiry: false }));
  const line = page.locator('.workspace-limit').last();
  await expectText(line, /^Maximum lifetime: none Change the maximum lifetime$/);
  await page.getByRole('button', { name: 'Change the maximum lifetime' }).click();
  await expectPath(page, '/settings/api?panel=policies');
  const days = keys.dialog(page).getByRole('textbox', { name: 'Maximum lifetime of new keys, in days' });
  for (const wrong of ['0', '1.5']) {
    await days.fill(wrong);
    await keys.dialog(page).getByRole('button', { name: 'Save' }).click();
    await keys
      .dialog(page)
      .getByText(wrong === '0' ? /^Must be between 1 and 3,650/ : /^Use digits only/)
      .waitFor();
    await expectFocus(days);
  }
  await days.fill('45');
  await page.keyboard.press('Enter');
  await expectToast(page, /^Policies saved\.$/);
  await expectText(line, /^Maximum lifetime: 45 days/);
  const { key } = await ada.createKey({ name: 'Limited' });
  assert.ok(key.expiresAt !== null && Date.parse(key.expiresAt) - Date.now() < 45.1 * 86_400_000);
  await page.getByRole('button', { name: 'Change the maximum lifetime' }).click();
  await days.fill('');
  await keys.dialog(page).getByLabel('Expiration date of new keys').selectOption('Required');
  await keys.dialog(page).getByRole('button', { name: 'Save' }).click();
  await expectText(line, /^Maximum lifetime: none/);
  await page.getByRole('button', { name: 'Generate New Key' }).click();
  const expires = keys.dialog(page).getByRole('combobox', { name: 'Expires' });
  await expectText(expires.getByRole('option'), /^1 year \| 30 days \| 90 days \| Custom date and time…$/);
  await keys.nameField(page).fill('With a date');
  await keys.createButton(page).click();
  await keys.readShownKey(page);
  const { data } = keyListSchema.parse((await ada.call('GET', '/v1/api-keys?q=with+a+date')).body);
  assert.match(data[0]?.expiresAt ?? '', /^2\d{3}-/);
});

test('the key checker of the help recognizes a full test key', async (t) => {
  const page = await dashboard.open(t, '/help/api-troubleshooting');
  await page.getByRole('textbox', { name: /^Your key/ }).fill(generateKey({ prefix: 'sk_test_' }));
  await expectText(page.locator('.check-key').getByRole('status'), /^This is a full key/);
});
