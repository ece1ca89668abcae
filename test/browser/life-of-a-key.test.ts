/** M2, M3, M7, M8: a key is created, copied, listed and revoked, with the mouse and with the keyboard. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorSchema } from '@soku/contract/errors';
import { keyListSchema } from '@soku/contract/keys';
import { meSchema } from '@soku/contract/verification';
import type { Page } from 'playwright-core';
import { bearer, call } from '../support/person.ts';
import { Dashboard } from './dashboard.ts';
import {
  expectFocus,
  expectHidden,
  expectPath,
  expectText,
  expectVisibleFocus,
  readClipboard,
  readTexts,
  tabTo,
} from './expect.ts';
import * as keys from './key-pages.ts';
import { expectToast } from './toasts.ts';

const dashboard = await Dashboard.inNewWorkspace();

const me = (apiKey: string) => call(`${dashboard.server.url}/v1/me`, { headers: bearer(apiKey) });

async function isRevoked(apiKey: string): Promise<void> {
  const rejected = await me(apiKey);
  assert.equal(rejected.status, 401);
  assert.equal(errorSchema.parse(rejected.body).error.code, 'revoked_key');
}

async function keysNamed(q: string): Promise<string[]> {
  const response = await dashboard.ada.call('GET', `/v1/api-keys?status=all&q=${encodeURIComponent(q)}`);
  return keyListSchema.parse(response.body).data.map((key) => key.name);
}

const filter = (page: Page, name: RegExp) =>
  page.getByRole('navigation', { name: 'Status' }).getByRole('link', { name });

test('M2, M3, M7, M8: a key can be created, copied and revoked with the mouse', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  await keys.generateButton(page).click();
  await expectFocus(keys.nameField(page));
  assert.equal(await keys.nameField(page).getAttribute('placeholder'), 'Production Server');
  await keys.nameField(page).fill('Mouse');
  await keys.createButton(page).click();
  const apiKey = await keys.readShownKey(page);
  await expectText(keys.dialog(page), /This key will not be shown again/);
  await keys.copyButton(page).click();
  await expectText(
    keys.dialog(page).getByRole('status').first(),
    /^Copied\. The full key is on the clipboard\.$/,
  );
  assert.equal(await readClipboard(page), apiKey);
  await keys.doneButton(page).click();
  await expectHidden(keys.dialog(page));
  await expectFocus(keys.generateButton(page));

  const cells = await readTexts(keys.row(page, 'Mouse').getByRole('cell'));
  const [, name, preview, created, used, , , status] = cells;
  assert.equal(name, 'Mouse');
  assert.equal(preview, `sk_live_${apiKey.slice(8, 11)}...${apiKey.slice(-3)}`);
  assert.match(created ?? '', /^just now/);
  assert.equal(used, 'Never');
  assert.equal(status, 'Active');
  assert.equal((await me(apiKey)).status, 200);

  await keys.choose(page, 'Revoke', 'Mouse');
  await expectText(
    keys.alertDialog(page),
    new RegExp(`Mouse.*${preview?.replaceAll('.', '\\.')}.*cannot be undone`),
  );
  await keys.confirmRevoke(page, 'Mouse').click();
  await expectToast(page, /Revoked\. No server accepts it anymore\./);
  await isRevoked(apiKey);
  await expectHidden(keys.row(page, 'Mouse'));

  await filter(page, /^Revoked/).click();
  await expectPath(page, '/settings/api?status=revoked');
  await expectText(keys.row(page, 'Mouse'), /Mouse.*Revoked/);
  await keys.expectNotRevocable(page, 'Mouse');
  await page.goBack();
  await expectPath(page, '/settings/api');
  await expectHidden(keys.row(page, 'Mouse'));
});

test('M2, M3, M7, M8: a key can be created, copied and revoked with the keyboard, with visible focus', async (t) => {
  await dashboard.ada.createKey({ name: 'Keyboard, the next row' });
  const page = await dashboard.open(t, '/settings/api?q=keyboard');
  const { keyboard } = page;
  await tabTo(keys.generateButton(page));
  await keyboard.press('Enter');
  await expectVisibleFocus(keys.nameField(page));
  await keyboard.press('Escape');
  await expectVisibleFocus(keys.generateButton(page));
  await keyboard.press('Enter');
  await expectVisibleFocus(keys.nameField(page));
  await keyboard.type('Keyboard');
  await keyboard.press('Enter');
  const apiKey = await keys.readShownKey(page);
  await expectVisibleFocus(keys.copyButton(page));
  await keyboard.press('Enter');
  await expectVisibleFocus(page.getByRole('button', { name: 'Copied', exact: true }));
  assert.equal(await readClipboard(page), apiKey);
  await tabTo(page.getByRole('tab', { name: '.env' }));
  await keyboard.press('ArrowLeft');
  await expectVisibleFocus(page.getByRole('tab', { name: 'Python' }));
  await keyboard.press('ArrowRight');
  await keyboard.press('ArrowRight');
  await expectVisibleFocus(page.getByRole('tab', { name: 'curl' }));
  await expectText(page.getByRole('tabpanel'), /curl http/);
  await keyboard.press('Escape');
  await expectHidden(keys.dialog(page));
  await expectVisibleFocus(keys.generateButton(page));

  await tabTo(keys.menuButton(page, 'Keyboard'));
  await keyboard.press('Enter');
  await expectVisibleFocus(keys.menuItem(page, 'Rotate key Keyboard'));
  await keyboard.press('ArrowUp');
  await expectVisibleFocus(keys.revokeItem(page, 'Keyboard'));
  await keyboard.press('Enter');
  await expectVisibleFocus(keys.alertDialog(page).getByRole('button', { name: 'Cancel' }));
  await keyboard.press('Escape');
  await expectHidden(keys.alertDialog(page));
  await expectVisibleFocus(keys.menuButton(page, 'Keyboard'));
  assert.equal((await me(apiKey)).status, 200, 'Escape revokes nothing');
  await keyboard.press('ArrowUp');
  await keyboard.press('Enter');
  await tabTo(keys.confirmRevoke(page, 'Keyboard'));
  await keyboard.press('Enter');
  await expectHidden(keys.row(page, 'Keyboard'));
  await isRevoked(apiKey);
  await expectVisibleFocus(keys.menuButton(page, 'Keyboard, the next row'));

  await tabTo(filter(page, /^Revoked/), 'Shift+Tab');
  await keyboard.press('Enter');
  await expectPath(page, '/settings/api?q=keyboard&status=revoked');
  await expectText(keys.row(page, 'Keyboard'), /Revoked/);
});

for (const [what, press] of [
  ['a double click on Create', (page: Page) => keys.createButton(page).dblclick()],
  [
    'Enter pressed twice',
    async (page: Page) => {
      await keys.nameField(page).press('Enter');
      await page.keyboard.press('Enter');
    },
  ],
] satisfies Array<[string, (page: Page) => Promise<void>]>) {
  test(`${what} creates one key`, async (t) => {
    const page = await dashboard.open(t, '/settings/api');
    const calls: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') calls.push(request.url());
    });
    await keys.generateButton(page).click();
    await keys.nameField(page).fill(what);
    await press(page);
    await keys.readShownKey(page);
    assert.deepEqual(await keysNamed(what), [what]);
    assert.deepEqual(calls, [`${dashboard.server.url}/v1/api-keys`]);
  });
}

test('a new key is at the top of the list behind the dialog', async (t) => {
  await dashboard.ada.createKey({ name: 'Older than behind' });
  const page = await dashboard.open(t, '/settings/api');
  await keys.row(page, 'Older than behind').waitFor();
  // The list must not depend on a refetch, so refetches get no response.
  await page.route('**/v1/api-keys?**', () => undefined);
  await keys.generate(page, 'Behind');
  await keys.row(page, 'Behind').waitFor();
  assert.equal((await keys.rowNames(page))[0], 'Behind');
});

test('opening the dialog again shows an empty form and no key', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  const apiKey = await keys.generate(page, 'Not shown again');
  await keys.copyAndClose(page);
  await keys.generateButton(page).click();
  await expectFocus(keys.nameField(page));
  assert.equal(await keys.nameField(page).inputValue(), '');
  await expectHidden(keys.keyField(page));
  assert.ok(!(await page.content()).includes(apiKey));
  await page.goBack();
  await expectHidden(keys.dialog(page));
  await page.goForward();
  await expectFocus(keys.nameField(page));
  await expectHidden(keys.keyField(page));
});

test('closing the form, in one page load', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  for (const [way, leave] of [
    ['Cancel', () => page.getByRole('button', { name: 'Cancel' }).click()],
    ['the X', () => keys.closeButton(page).click()],
    ['Escape', () => page.keyboard.press('Escape')],
    ['Back', () => page.goBack()],
  ] satisfies Array<[string, () => Promise<unknown>]>) {
    await t.test(`${way} closes the form without creating a key and without asking`, async () => {
      await keys.generateButton(page).click();
      await keys.nameField(page).fill(`Left by ${way}`);
      await leave();
      await expectHidden(keys.dialog(page));
      await expectHidden(keys.alertDialog(page));
      await expectPath(page, '/settings/api');
      await expectFocus(keys.generateButton(page));
      assert.deepEqual(await keysNamed(`Left by ${way}`), []);
    });
  }
});

test('"Test key" sends a request with the new key and shows the 200 response', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  const apiKey = await keys.generate(page, 'Tested');
  const sent = page.waitForRequest(/\/v1\/me$/);
  await page.getByRole('button', { name: 'Test key' }).click();
  const headers = await (await sent).allHeaders();
  assert.equal(headers.authorization, `Bearer ${apiKey}`);
  assert.equal(headers.cookie, undefined, 'the session cookie is not sent');
  await expectText(keys.dialog(page), /200: the key works\./);
  const [response = ''] = await readTexts(page.getByRole('region', { name: 'response' }));
  assert.equal(meSchema.parse(JSON.parse(response)).key.name, 'Tested');
});

test('"Test key" shows the error if the key has been revoked', async (t) => {
  const page = await dashboard.open(t, '/settings/api', { expected: [/status of 401/] });
  await keys.generate(page, 'Tested too late');
  const list = await dashboard.ada.call('GET', '/v1/api-keys?q=Tested%20too%20late');
  await dashboard.ada.revoke(keyListSchema.parse(list.body).data[0]?.id ?? '');
  await page.getByRole('button', { name: 'Test key' }).click();
  await expectText(keys.dialog(page), /401: the key was rejected\..*revoked_key/);
});
