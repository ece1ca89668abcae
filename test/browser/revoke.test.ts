/** M8: revoking asks, is said only when it is true, and leaves the focus and the other tabs in order. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { errorSchema } from '@soku/contract/errors';
import { keySchema } from '@soku/contract/keys';
import type { Page } from 'playwright-core';
import { answered, Dashboard, noAnswer } from './dashboard.ts';
import { hasFocus, isAt, isGone, reads } from './expect.ts';
import * as keys from './key-pages.ts';

const dashboard = await Dashboard.start();
after(() => dashboard.stop());
const { ada } = dashboard;

async function makeKeys(...names: string[]): Promise<void> {
  for (const name of names) await ada.makeKey({ name });
}

async function revokeInPage(page: Page, name: string): Promise<void> {
  await keys.revokeButton(page, name).click();
  await keys.confirmRevoke(page, name).click();
}

async function statusOf(id: string): Promise<string> {
  return keySchema.parse((await ada.call('GET', `/v1/api-keys/${id}`)).body).status;
}

test('the question names the key and its preview, says what will happen, and Cancel and Escape revoke nothing', async (t) => {
  const { key } = await ada.makeKey({ name: 'Asked about' });
  const page = await dashboard.open(t, '/settings/api?q=Asked');
  for (const leave of ['Cancel', 'Escape']) {
    await keys.revokeButton(page, 'Asked about').click();
    await isAt(page, `/settings/api?q=Asked&panel=revoke&key=${key.id}`);
    const text = new RegExp(
      `Revoke this key\\? Asked about ${key.preview.replaceAll('.', '\\.')} Created just now.*401 Unauthorized.*This cannot be undone\\.`,
    );
    await reads(keys.question(page), text);
    await hasFocus(keys.question(page).getByRole('button', { name: 'Cancel' }));
    await page.keyboard.press(leave === 'Cancel' ? 'Enter' : 'Escape');
    await isGone(keys.question(page));
    await isAt(page, '/settings/api?q=Asked');
    await hasFocus(keys.revokeButton(page, 'Asked about'));
  }
  assert.equal(await statusOf(key.id), 'active');
});

test('after a revoke the focus goes to the next row, from the last row to the one before, and then to the heading', async (t) => {
  await makeKeys('Focus third', 'Focus second', 'Focus first');
  const page = await dashboard.open(t, '/settings/api?q=Focus');
  await revokeInPage(page, 'Focus second');
  await isGone(keys.row(page, 'Focus second'));
  await hasFocus(keys.revokeButton(page, 'Focus third'));
  await revokeInPage(page, 'Focus third');
  await isGone(keys.row(page, 'Focus third'));
  await hasFocus(keys.revokeButton(page, 'Focus first'));
  await revokeInPage(page, 'Focus first');
  await page.getByRole('heading', { name: 'No keys found' }).waitFor();
  await hasFocus(keys.heading(page));
});

test('in the list of all keys a revoked row stays, and the focus goes on to the next one that can be revoked', async (t) => {
  await makeKeys('Stays second', 'Stays first');
  const page = await dashboard.open(t, '/settings/api?q=Stays&status=all');
  await revokeInPage(page, 'Stays first');
  await reads(keys.row(page, 'Stays first'), /Revoked/);
  await isGone(keys.revokeButton(page, 'Stays first'));
  await hasFocus(keys.revokeButton(page, 'Stays second'));
});

test('what was done is said in a live region once the dialog is gone', async (t) => {
  await makeKeys('Heard of');
  const page = await dashboard.open(t, '/settings/api?q=Heard');
  await revokeInPage(page, 'Heard of');
  const region = page.getByRole('status').filter({ has: page.locator('.toast') });
  await reads(region, /"Heard of": Revoked\. No server accepts it anymore\./);
  assert.equal(await keys.question(page).count(), 0);
});

test('the page of a key revokes it, too', async (t) => {
  const { key } = await ada.makeKey({ name: 'On its page' });
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await page.getByRole('button', { name: 'Revoke key' }).click();
  await isAt(page, `/settings/api/${key.id}?panel=revoke`);
  await keys.confirmRevoke(page, 'On its page').click();
  await reads(
    page.getByRole('main'),
    /On its page Revoked.*This key is revoked permanently.*Revoked \d+ \w+ \d{4}/,
  );
  await isGone(page.getByRole('button', { name: 'Revoke key' }));
  await hasFocus(keys.heading(page));
  assert.equal(await statusOf(key.id), 'revoked');
});

test('a key that was revoked in one tab is shown so at once in another that is visible and has no focus', async (t) => {
  await makeKeys('In two tabs');
  const page = await dashboard.open(t, '/settings/api?q=In%20two&status=all');
  await keys.row(page, 'In two tabs').waitFor();
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.bringToFront();
  await revokeInPage(other, 'In two tabs');
  await reads(keys.row(other, 'In two tabs'), /Revoked/);
  await reads(keys.row(page, 'In two tabs'), /Revoked/);
});

test('revoking a key that was revoked in another tab says plainly that it is', async (t) => {
  const { key } = await ada.makeKey({ name: 'Already' });
  const page = await dashboard.open(t, '/settings/api?q=Already');
  await keys.revokeButton(page, 'Already').waitFor();
  await ada.revoke(key.id);
  await keys.revokeButton(page, 'Already').click();
  await keys.question(page).getByRole('heading', { name: 'This key is already revoked' }).waitFor();
  await reads(keys.question(page), /Already.*revoked \d+ \w+ \d{4}/);
  await isGone(keys.question(page).getByRole('button', { name: /^Revoke/ }));
  await keys.question(page).getByRole('button', { name: 'Close' }).click();
  await isGone(keys.question(page));
  await isGone(keys.row(page, 'Already'));
});

test('a revoke that did not reach the server shows that in the dialog, and the key as what it is', async (t) => {
  const { key } = await ada.makeKey({ name: 'Not reached' });
  const page = await dashboard.open(t, '/settings/api?q=Not%20reached', { expected: [noAnswer] });
  await page.route('**/revoke', (route) => route.abort());
  await revokeInPage(page, 'Not reached');
  await reads(keys.question(page).getByRole('alert'), /The server did not respond/);
  await reads(keys.row(page, 'Not reached'), /Active/);
  assert.equal(await page.locator('.toast').count(), 0);
  assert.equal(await statusOf(key.id), 'active');
  await page.unroute('**/revoke');
  await keys.confirmRevoke(page, 'Not reached').click();
  await isGone(keys.row(page, 'Not reached'));
  assert.equal(await statusOf(key.id), 'revoked');
});

test('while a revoke is on its way, the key is not shown as revoked and the dialog stays', async (t) => {
  await makeKeys('On its way');
  const page = await dashboard.open(t, '/settings/api?q=On%20its%20way');
  await keys.revokeButton(page, 'On its way').waitFor();
  // Nothing but the answer to the revoke may change the row: the list is not asked for again.
  await page.route('**/v1/api-keys?**', () => undefined);
  const held = Promise.withResolvers<void>();
  await page.route('**/revoke', async (route) => {
    await held.promise;
    await route.continue();
  });
  await revokeInPage(page, 'On its way');
  await page.keyboard.press('Escape');
  await reads(keys.question(page), /Revoke this key\?/);
  await reads(keys.row(page, 'On its way'), /Active/);
  held.resolve();
  await isGone(keys.row(page, 'On its way'));
});

test('offline, a banner says so in words, and a revoke fails in the dialog', async (t) => {
  const { key } = await ada.makeKey({ name: 'Offline' });
  const page = await dashboard.open(t, '/settings/api?q=Offline', { expected: [noAnswer] });
  await keys.revokeButton(page, 'Offline').click();
  await keys.confirmRevoke(page, 'Offline').waitFor();
  await page.context().setOffline(true);
  await reads(
    page.getByRole('main').getByRole('status').first(),
    /You are offline\. This page may be out of date/,
  );
  await keys.confirmRevoke(page, 'Offline').click();
  await reads(
    keys.question(page).getByRole('alert'),
    /You are offline\. Try again when you are back online\./,
  );
  await reads(keys.row(page, 'Offline'), /Active/);
  assert.equal(await statusOf(key.id), 'active');
  await page.context().setOffline(false);
  await isGone(page.locator('.offline'));
  await keys.confirmRevoke(page, 'Offline').click();
  await isGone(keys.row(page, 'Offline'));
});

const failure = errorSchema.parse({
  error: {
    type: 'api_error',
    code: 'internal_error',
    message: 'Something failed inside. Try again.',
    timestamp: new Date().toISOString(),
    requestId: 'req_fromatest',
  },
});

test('a failure inside the server is shown where it happened: in the dialog, and in place of the list', async (t) => {
  await makeKeys('Failing');
  const page = await dashboard.open(t, '/settings/api?q=Failing', { expected: [answered(500)] });
  await page.route('**/revoke', (route) => route.fulfill({ status: 500, json: failure }));
  await revokeInPage(page, 'Failing');
  const words = /Something failed inside\. Try again\. Request ID req_fromatest/;
  await reads(keys.question(page).getByRole('alert'), words);
  await reads(keys.row(page, 'Failing'), /Active/);

  await page.route('**/v1/api-keys?**', (route) => route.fulfill({ status: 500, json: failure }));
  await page.goto(`${dashboard.server.url}/settings/api`);
  await reads(page.getByRole('main').getByRole('alert').first(), words);
  await page.unroute('**/v1/api-keys?**');
  await page.getByRole('button', { name: 'Try again' }).click();
  await keys.row(page, 'Failing').waitFor();
});

test('a revoke that failed although the key is dead by it can be repeated in the dialog', async (t) => {
  const { key } = await ada.makeKey({ name: 'Half done' });
  const page = await dashboard.open(t, '/settings/api?q=Half', { expected: [answered(500)] });
  await page.route('**/revoke', async (route) => {
    await route.fetch();
    await route.fulfill({ status: 500, json: failure });
  });
  await revokeInPage(page, 'Half done');
  const dialog = keys.question(page);
  await reads(dialog.getByRole('alert'), /Something failed inside/);
  await page.evaluate(`window.dispatchEvent(new Event('focus'))`);
  await reads(dialog, /Half done.*revoked \d+ \w+ \d{4}.*Something failed inside/);
  await page.unroute('**/revoke');
  await keys.confirmRevoke(page, 'Half done').click();
  await reads(keys.toast(page), /^"Half done": Revoked\. No server accepts it anymore\.$/);
  assert.equal(await statusOf(key.id), 'revoked');
});

test('the link to the question about a key that does not exist says so', async (t) => {
  const id = `key_${'0'.repeat(26)}`;
  const page = await dashboard.open(t, `/settings/api?panel=revoke&key=${id}`, { expected: [answered(404)] });
  await reads(keys.question(page).getByRole('alert'), /There is no key with this id\./);
  await keys.question(page).getByRole('button', { name: 'Close' }).click();
  await isGone(keys.question(page));
  await isAt(page, '/settings/api');
});
