/** M8: the revoke dialog shows how the key is used, but does not delay the revoke of a leaked key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createdKeySchema, keySchema } from '@soku/contract/keys';
import type { Page } from 'playwright-core';
import { bearer, call } from '../support/person.ts';
import { expectAccessible } from './accessibility.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import { expectFocus, expectHidden, expectText } from './expect.ts';
import * as keys from './key-pages.ts';
import { recordHours, recordLastUse } from './recorded-usage.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

const week = 7 * 24 * 3_600_000;
const use = (page: Page) => keys.alertDialog(page).locator('.key-use[role=status]');
const statusOf = async (id: string) =>
  keySchema.parse((await ada.call('GET', `/v1/api-keys/${id}`)).body).status;

test('the dialog shows the requests of the last day and week, and the time, address and program of the last one', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'Busy' });
  await recordHours(dashboard, key.id, [
    { hoursAgo: 5, accepted: 1310, refused: 3 },
    { hoursAgo: 30, accepted: 100 },
    { hoursAgo: 7 * 24 + 1, accepted: 1000 },
  ]);
  for (const agent of ['node', 'curl/8.5 (x86_64) libcurl/8.5']) {
    const headers = { ...bearer(apiKey), 'x-forwarded-for': '203.0.113.7', 'user-agent': agent };
    assert.equal((await call(`${dashboard.server.url}/v1/me`, { headers })).status, 200);
  }
  const page = await dashboard.open(t, '/settings/api?q=Busy');
  await keys.choose(page, 'Revoke', 'Busy');
  await expectText(
    use(page),
    /^1,312 requests in the last 24 hours, 1,412 in 7 days, last used \d+ seconds? ago from 203\.0\.113\.7 with curl\/8\.5$/,
  );
});

for (const { what, name, lastUse, words } of [
  {
    what: 'an unused key',
    name: 'Fresh',
    lastUse: null,
    words: /^Never used\. No request with this key has been accepted\.$/,
  },
  {
    what: 'an idle key',
    name: 'Idle for weeks',
    lastUse: { at: Date.now() - 3 * week - 60_000 },
    words: /^Not used in the last 7 days\. Last used 3 weeks ago\.$/,
  },
]) {
  test(`the dialog describes the use of ${what}`, async (t) => {
    const { key } = await ada.createKey({ name });
    if (lastUse) await recordLastUse(dashboard, key.id, lastUse);
    const page = await dashboard.open(t, `/settings/api?q=${encodeURIComponent(name)}`);
    await keys.choose(page, 'Revoke', name);
    await expectText(use(page), words);
  });
}

test('a browser is shown by its name instead of "Mozilla"', async (t) => {
  const { key } = await ada.createKey({ name: 'From a browser' });
  await recordHours(dashboard, key.id, [{ hoursAgo: 1, accepted: 1 }]);
  await recordLastUse(dashboard, key.id, {
    at: Date.now() - 3_600_000,
    address: '2001:db8::7',
    agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  });
  const page = await dashboard.open(t, `/settings/api/${key.id}?panel=revoke`);
  await expectText(
    use(page),
    /^1 request in the last 24 hours, 1 in 7 days, last used 1 hour ago from 2001:db8::7 with Firefox on Linux$/,
  );
});

test('the revoke button works and the layout is stable while the usage is loading', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'In a hurry' });
  await call(`${dashboard.server.url}/v1/me`, { headers: { ...bearer(apiKey), 'user-agent': 'curl/8.5' } });
  const page = await dashboard.open(t, '/settings/api?q=In%20a%20hurry');
  const held = Promise.withResolvers<void>();
  await page.route('**/usage?**', async (route) => {
    await held.promise;
    await route.continue();
  });
  await keys.choose(page, 'Revoke', 'In a hurry');
  await keys.confirmRevoke(page, 'In a hurry').waitFor();
  await expectText(use(page), /^Loading usage$/);
  const waiting = await keys.alertDialog(page).boundingBox();
  held.resolve();
  await expectText(use(page), /^1 request in the last 24 hours/);
  assert.deepEqual(await keys.alertDialog(page).boundingBox(), waiting, 'the layout does not shift');
  await expectFocus(keys.alertDialog(page).getByRole('button', { name: 'Cancel' }));

  await page.route('**/usage?**', () => undefined);
  await page.reload();
  await keys.confirmRevoke(page, 'In a hurry').click();
  await expectHidden(keys.row(page, 'In a hurry'));
  assert.equal(await statusOf(key.id), 'revoked');
});

test('the keys that a key created can be revoked with it', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'Provisioner', scopes: ['keys:write'] });
  const children: string[] = [];
  for (const name of ['Customer 1', 'Customer 2']) {
    const body = { name };
    const headers = bearer(apiKey);
    const created = await call(`${dashboard.server.url}/v1/api-keys`, { method: 'POST', headers, body });
    const child = createdKeySchema.parse(created.body);
    await call(`${dashboard.server.url}/v1/me`, { headers: bearer(child.apiKey) });
    children.push(child.key.id);
  }
  const page = await dashboard.open(t, '/settings/api?q=Provisioner');
  await keys.choose(page, 'Revoke', 'Provisioner');
  const choice = keys.alertDialog(page).getByRole('checkbox');
  await expectText(
    keys.alertDialog(page).locator('label.check'),
    /^Also revoke the 2 keys that it or its descendants created 2 requests in the last 24 hours, last used .*\.$/,
  );
  assert.equal(await choice.isChecked(), false);
  await choice.check();
  await expectAccessible(page);
  await keys.confirmRevoke(page, 'Provisioner').click();
  await expectHidden(keys.row(page, 'Provisioner'));
  for (const id of [key.id, ...children]) assert.equal(await statusOf(id), 'revoked');
});

test('the dialog reports if a key with keys:write has created no keys', async (t) => {
  await ada.createKey({ name: 'Childless', scopes: ['keys:write'] });
  const page = await dashboard.open(t, '/settings/api?q=Childless');
  await keys.choose(page, 'Revoke', 'Childless');
  await keys.alertDialog(page).getByText('This key created no other active keys.').waitFor();
  assert.equal(await keys.alertDialog(page).getByRole('checkbox').count(), 0);
});

test('if the usage cannot be loaded, the dialog reports it and the revoke still works', async (t) => {
  const { key } = await ada.createKey({ name: 'Without usage' });
  const page = await dashboard.open(t, '/settings/api?q=Without%20usage', {
    expected: [httpErrorMessage(500)],
  });
  await page.route('**/usage?**', (route) => route.fulfill({ status: 500, json: {} }));
  await keys.choose(page, 'Revoke', 'Without usage');
  await expectText(use(page), /^Usage could not be loaded\. You can still revoke the key\.$/);
  await keys.confirmRevoke(page, 'Without usage').click();
  await expectHidden(keys.row(page, 'Without usage'));
  assert.equal(await statusOf(key.id), 'revoked');
});
