/** M8: a revoke asks for confirmation, is reported only once it took effect, and keeps focus and other tabs correct. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keySchema } from '@soku/contract/keys';
import type { Page } from 'playwright-core';
import { Dashboard, httpErrorMessage, networkErrorMessage } from './dashboard.ts';
import { expectFocus, expectHidden, expectPath, expectText } from './expect.ts';
import * as keys from './key-pages.ts';
import { serverError } from './server-error.ts';
import { expectToast } from './toasts.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

async function createKeys(...names: string[]): Promise<void> {
  for (const name of names) await ada.createKey({ name });
}

async function revokeInPage(page: Page, name: string): Promise<void> {
  await keys.choose(page, 'Revoke', name);
  await keys.confirmRevoke(page, name).click();
}

async function statusOf(id: string): Promise<string> {
  return keySchema.parse((await ada.call('GET', `/v1/api-keys/${id}`)).body).status;
}

test('the dialog shows the key and the consequences, and Cancel and Escape revoke nothing', async (t) => {
  const { key } = await ada.createKey({ name: 'Untouched' });
  const page = await dashboard.open(t, '/settings/api?q=Untouched');
  for (const leave of ['Cancel', 'Escape']) {
    await keys.choose(page, 'Revoke', 'Untouched');
    await expectPath(page, `/settings/api?q=Untouched&panel=revoke&key=${key.id}`);
    const text = new RegExp(
      `Revoke this key\\? Untouched ${key.preview.replaceAll('.', '\\.')} Created just now.*401 Unauthorized.*This cannot be undone\\.`,
    );
    await expectText(keys.alertDialog(page), text);
    await expectFocus(keys.alertDialog(page).getByRole('button', { name: 'Cancel' }));
    await page.keyboard.press(leave === 'Cancel' ? 'Enter' : 'Escape');
    await expectHidden(keys.alertDialog(page));
    await expectPath(page, '/settings/api?q=Untouched');
    await expectFocus(keys.menuButton(page, 'Untouched'));
  }
  assert.equal(await statusOf(key.id), 'active');
});

test('after a revoke, the focus moves to the next row, else to the previous row, else to the heading', async (t) => {
  await createKeys('Focus third', 'Focus second', 'Focus first');
  const page = await dashboard.open(t, '/settings/api?q=Focus');
  await revokeInPage(page, 'Focus second');
  await expectHidden(keys.row(page, 'Focus second'));
  await expectFocus(keys.menuButton(page, 'Focus third'));
  await revokeInPage(page, 'Focus third');
  await expectHidden(keys.row(page, 'Focus third'));
  await expectFocus(keys.menuButton(page, 'Focus first'));
  await revokeInPage(page, 'Focus first');
  await page.getByRole('heading', { name: 'No keys found' }).waitFor();
  await expectFocus(keys.heading(page));
});

test('in the list of all keys, a revoked row stays, and the focus moves to the next key that can be revoked', async (t) => {
  await createKeys('Stays third', 'Stays second', 'Stays first');
  const page = await dashboard.open(t, '/settings/api?q=Stays&status=all');
  for (const name of ['Stays second', 'Stays first']) {
    await revokeInPage(page, name);
    await expectText(keys.row(page, name), /Revoked/);
    await expectFocus(keys.menuButton(page, 'Stays third'));
    await keys.expectNotRevocable(page, name);
  }
});

test('the result is announced in a live region after the dialog has closed', async (t) => {
  await createKeys('Heard of');
  const page = await dashboard.open(t, '/settings/api?q=Heard');
  await revokeInPage(page, 'Heard of');
  const region = page.getByRole('status').filter({ has: page.locator('.toast') });
  await expectText(region, /"Heard of": Revoked\. No server accepts it anymore\./);
  assert.equal(await keys.alertDialog(page).count(), 0);
});

test('a key can also be revoked on its page', async (t) => {
  const { key } = await ada.createKey({ name: 'On its page' });
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await page.getByRole('button', { name: 'Revoke key' }).click();
  await expectPath(page, `/settings/api/${key.id}?panel=revoke`);
  await keys.confirmRevoke(page, 'On its page').click();
  await expectText(
    page.getByRole('main'),
    /On its page Revoked.*Revoked\. Requests are rejected with 401\..*Revoked \d+ \w+ \d{4}/,
  );
  await expectHidden(page.getByRole('button', { name: 'Revoke key' }));
  await expectFocus(keys.heading(page));
  assert.equal(await statusOf(key.id), 'revoked');
});

test('a revoke in one tab appears immediately in another tab that is visible but not focused', async (t) => {
  await createKeys('In two tabs');
  const page = await dashboard.open(t, '/settings/api?q=In%20two&status=all');
  await keys.row(page, 'In two tabs').waitFor();
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.bringToFront();
  await revokeInPage(other, 'In two tabs');
  await expectText(keys.row(other, 'In two tabs'), /Revoked/);
  await expectText(keys.row(page, 'In two tabs'), /Revoked/);
});

test('the dialog reports if the key was already revoked in another tab', async (t) => {
  const { key } = await ada.createKey({ name: 'Already' });
  const page = await dashboard.open(t, '/settings/api?q=Already');
  await keys.menuButton(page, 'Already').waitFor();
  await ada.revoke(key.id);
  await keys.choose(page, 'Revoke', 'Already');
  await keys.alertDialog(page).getByRole('heading', { name: 'This key is already revoked' }).waitFor();
  await expectText(keys.alertDialog(page), /Already.*revoked \d+ \w+ \d{4}/);
  await expectHidden(keys.alertDialog(page).getByRole('button', { name: /^Revoke/ }));
  await keys.alertDialog(page).getByRole('button', { name: 'Close' }).click();
  await expectHidden(keys.alertDialog(page));
  await expectHidden(keys.row(page, 'Already'));
});

test('if a revoke does not reach the server, the dialog shows the error and the key stays active', async (t) => {
  const { key } = await ada.createKey({ name: 'Not reached' });
  const page = await dashboard.open(t, '/settings/api?q=Not%20reached', { expected: [networkErrorMessage] });
  await page.route('**/revoke', (route) => route.abort());
  await revokeInPage(page, 'Not reached');
  await expectText(keys.alertDialog(page).getByRole('alert'), /The server did not respond/);
  await expectText(keys.row(page, 'Not reached'), /Active/);
  assert.equal(await page.locator('.toast').count(), 0);
  assert.equal(await statusOf(key.id), 'active');
  await page.unroute('**/revoke');
  await keys.confirmRevoke(page, 'Not reached').click();
  await expectHidden(keys.row(page, 'Not reached'));
  assert.equal(await statusOf(key.id), 'revoked');
});

test('while a revoke is running, the key is not shown as revoked and the dialog stays open', async (t) => {
  await createKeys('Being revoked');
  const page = await dashboard.open(t, '/settings/api?q=Being%20revoked');
  await keys.menuButton(page, 'Being revoked').waitFor();
  // Only the response to the revoke may change the row, so the list is not refetched.
  await page.route('**/v1/api-keys?**', () => undefined);
  const held = Promise.withResolvers<void>();
  await page.route('**/revoke', async (route) => {
    await held.promise;
    await route.continue();
  });
  await revokeInPage(page, 'Being revoked');
  await page.keyboard.press('Escape');
  await expectText(keys.alertDialog(page), /Revoke this key\?/);
  await expectText(keys.row(page, 'Being revoked'), /Active/);
  held.resolve();
  await expectHidden(keys.row(page, 'Being revoked'));
});

test('offline, the page shows a banner, and a revoke fails in the dialog', async (t) => {
  const { key } = await ada.createKey({ name: 'Offline' });
  const page = await dashboard.open(t, '/settings/api?q=Offline', { expected: [networkErrorMessage] });
  await keys.choose(page, 'Revoke', 'Offline');
  await keys.confirmRevoke(page, 'Offline').waitFor();
  await page.context().setOffline(true);
  await expectText(
    page.getByRole('main').getByRole('status').first(),
    /You are offline\. This page may be out of date/,
  );
  await keys.confirmRevoke(page, 'Offline').click();
  await expectText(
    keys.alertDialog(page).getByRole('alert'),
    /You are offline\. Try again when you are back online\./,
  );
  await expectText(keys.row(page, 'Offline'), /Active/);
  assert.equal(await statusOf(key.id), 'active');
  await page.context().setOffline(false);
  await expectHidden(page.locator('.offline'));
  await keys.confirmRevoke(page, 'Offline').click();
  await expectHidden(keys.row(page, 'Offline'));
});

test('a server error is shown where it occurred: in the dialog and instead of the list', async (t) => {
  await createKeys('Failing');
  const page = await dashboard.open(t, '/settings/api?q=Failing', { expected: [httpErrorMessage(500)] });
  await page.route('**/revoke', (route) => route.fulfill(serverError));
  await revokeInPage(page, 'Failing');
  const message = /Internal server error\. Try again\. Request ID req_fromatest/;
  await expectText(keys.alertDialog(page).getByRole('alert'), message);
  await expectText(keys.row(page, 'Failing'), /Active/);

  await page.route('**/v1/api-keys?**', (route) => route.fulfill(serverError));
  await page.goto(`${dashboard.server.url}/settings/api`);
  await expectText(page.getByRole('main').getByRole('alert').first(), message);
  await page.unroute('**/v1/api-keys?**');
  await page.getByRole('button', { name: 'Try again' }).click();
  await keys.row(page, 'Failing').waitFor();
});

test('a revoke that fails after it took effect can be repeated in the dialog', async (t) => {
  const { key } = await ada.createKey({ name: 'Half done' });
  const page = await dashboard.open(t, '/settings/api?q=Half', { expected: [httpErrorMessage(500)] });
  await page.route('**/revoke', async (route) => {
    await route.fetch();
    await route.fulfill(serverError);
  });
  await revokeInPage(page, 'Half done');
  const dialog = keys.alertDialog(page);
  await expectText(dialog.getByRole('alert'), /Internal server error/);
  await page.evaluate(`window.dispatchEvent(new Event('focus'))`);
  await expectText(dialog, /Half done.*revoked \d+ \w+ \d{4}.*Internal server error/);
  await page.unroute('**/revoke');
  await keys.confirmRevoke(page, 'Half done').click();
  await expectToast(page, /^"Half done": Revoked\. No server accepts it anymore\.$/);
  assert.equal(await statusOf(key.id), 'revoked');
});

test('the link to the revoke dialog of an unknown key shows an error', async (t) => {
  const id = `key_${'0'.repeat(26)}`;
  const page = await dashboard.open(t, `/settings/api?panel=revoke&key=${id}`, {
    expected: [httpErrorMessage(404)],
  });
  await expectText(
    keys.alertDialog(page).getByRole('alert'),
    /No key with this id exists in this workspace\./,
  );
  await keys.alertDialog(page).getByRole('button', { name: 'Close' }).click();
  await expectHidden(keys.alertDialog(page));
  await expectPath(page, '/settings/api');
});
