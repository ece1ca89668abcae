/** What a key may do is edited in place, and applies on every server once it is saved. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { CreateKey } from '@soku/contract/key-requests';
import type { Page } from 'playwright-core';
import { expectAccessible, waitUntilLoaded } from './accessibility.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import {
  expectFocus,
  expectHidden,
  expectPath,
  expectText,
  expectVisibleFocus,
  readDescription,
  tabTo,
} from './expect.ts';
import * as keys from './key-pages.ts';
import { readKey, verify, verifyScope } from './rotating.ts';
import { expectToast } from './toasts.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

const catalog = [
  { name: 'files:read', description: 'Download files.' },
  { name: 'files:write', description: 'Upload files.' },
  { name: 'invoices:read', description: '' },
];
assert.equal((await ada.call('PUT', '/v1/scopes', { scopes: catalog })).status, 200);

const fact = (page: Page, name: string) =>
  page.locator('.fact').filter({ has: page.getByRole('term').filter({ hasText: new RegExp(`^${name}$`) }) });
const edit = (page: Page, what: string) => page.getByRole('button', { name: `Edit ${what}`, exact: true });
const save = (page: Page, what: string) => page.getByRole('button', { name: `Save ${what}`, exact: true });
const choice = (page: Page, name: string) => page.getByRole('radio', { name, exact: true });
/** The radio button is hidden behind its label. */
const choose = (page: Page, name: string) =>
  page.locator('.segments__choice').getByText(name, { exact: true }).click();
const box = (page: Page, name: string) =>
  page.getByRole('checkbox', { name: new RegExp(`^${name.replace('*', '\\*')}( |$)`) });

async function openTab(t: TestContext, input: CreateKey, expected: RegExp[] = []) {
  const { apiKey, key } = await ada.createKey(input);
  const page = await dashboard.open(t, `/settings/api/${key.id}?tab=access`, { expected });
  await waitUntilLoaded(page);
  return { page, apiKey, key };
}

test('scopes: a preset is saved, says what is covered, and every server applies it', async (t) => {
  const { page, apiKey, key } = await openTab(t, { name: 'With scopes' });
  assert.equal(await verifyScope(dashboard, apiKey, 'files:read'), 403);
  await edit(page, 'scopes').click();
  await expectPath(page, `/settings/api/${key.id}?tab=access&panel=scopes`);
  await expectFocus(choice(page, 'None'));
  await choose(page, 'Read only');
  const scopes = fact(page, 'Scopes');
  await expectText(scopes, /Only these scopes, not those that are added later: files:read invoices:read/);
  await choose(page, 'All');
  await expectText(fact(page, 'Scopes'), /Every scope of your API, including those that are added later\./);
  await choose(page, 'Read only');
  await save(page, 'scopes').click();
  await expectToast(page, /"With scopes": 2 scopes\. Every server applies this now\./);
  assert.deepEqual((await readKey(dashboard, key.id)).scopes.toSorted(), ['files:read', 'invoices:read']);
  assert.deepEqual(
    [await verifyScope(dashboard, apiKey, 'files:read'), await verifyScope(dashboard, apiKey, 'files:write')],
    [204, 403],
  );
  await expectFocus(edit(page, 'scopes'));
  await expectText(fact(page, 'Scopes'), /files:read Download files\. invoices:read/);
});

test('scopes: a wildcard covers what is below it, and the scopes of key management are separate', async (t) => {
  const { page, key } = await openTab(t, { name: 'Wildcard', scopes: ['files:read', 'keys:read'] });
  await edit(page, 'scopes').click();
  assert.equal(await choice(page, 'Custom').isChecked(), true);
  assert.equal(await box(page, 'keys:read').isChecked(), true);
  await box(page, 'files:*').check();
  await expectText(fact(page, 'Scopes'), /files:write Covered by a scope above\./);
  assert.equal(await box(page, 'files:write').isChecked(), true);
  await box(page, 'keys:read').uncheck();
  await save(page, 'scopes').click();
  await expectHidden(save(page, 'scopes'));
  assert.deepEqual((await readKey(dashboard, key.id)).scopes, ['files:*']);
  await edit(page, 'scopes').click();
  await choose(page, 'None');
  await save(page, 'scopes').click();
  const none = /None\. The key is accepted only where no scope is required, and cannot manage keys\./;
  await expectText(fact(page, 'Scopes'), none);
});

test('addresses: a mistake is explained at the field, and a saved list is in effect', async (t) => {
  const { page, apiKey, key } = await openTab(t, { name: 'From the office' });
  assert.equal(await verify(dashboard, apiKey), 204);
  await edit(page, 'addresses').click();
  const field = page.getByRole('textbox', { name: 'Allowed addresses' });
  await expectFocus(field);
  await expectText(fact(page, 'Allowed addresses'), /The last request came from 127\.0\.0\.1\./);
  for (const [typed, problem] of [
    ['203.0.113.7\n10.0.0.5/8', /"10\.0\.0\.5\/8" .*10\.0\.0\.0\/8/],
    ['localhost', /"localhost" must be an IP address/],
  ] satisfies Array<[string, RegExp]>) {
    await field.fill(typed);
    await save(page, 'addresses').click();
    await page.getByText(problem).waitFor();
    assert.match(await readDescription(field), problem);
    await expectFocus(field);
  }
  await field.fill('203.0.113.7, 2001:DB8::/32');
  await save(page, 'addresses').click();
  await expectToast(page, /accepted from 2 addresses or blocks only\. Every server applies this now\./);
  await expectText(fact(page, 'Allowed addresses'), /203\.0\.113\.7 2001:db8::\/32 Edit/);
  await expectText(fact(page, 'Environment'), /^Environment Live$/);
  assert.equal(await verify(dashboard, apiKey), 403);
  await edit(page, 'addresses').click();
  await field.fill('203.0.113.7');
  await save(page, 'addresses').click();
  await expectToast(page, /accepted from 1 address or block only\./);
  await edit(page, 'addresses').click();
  await field.fill('');
  await save(page, 'addresses').click();
  await expectText(fact(page, 'Allowed addresses'), /All Edit/);
  assert.deepEqual((await readKey(dashboard, key.id)).allowedAddresses, []);
  assert.equal(await verify(dashboard, apiKey), 204);
});

test('expiration: presets, a custom time and never, with the resulting date', async (t) => {
  const { page, key } = await openTab(t, { name: 'Until later' });
  await edit(page, 'expiration').click();
  const select = page.getByRole('combobox', { name: 'Expires' });
  await select.selectOption('90 days');
  await expectText(fact(page, 'Expires'), /The key expires on .*\./);
  await save(page, 'expiration').click();
  await expectToast(page, /expires on .*\. Every server applies this now\./);
  const days = (Date.parse((await readKey(dashboard, key.id)).expiresAt ?? '') - Date.now()) / 86_400_000;
  assert.ok(days > 89.9 && days <= 90, `${days}`);
  await edit(page, 'expiration').click();
  const date = page.getByLabel('Date and time');
  assert.equal((await date.inputValue()).length, 16, 'the current date is filled in');
  await date.fill('2020-01-01T10:00');
  await save(page, 'expiration').click();
  await page.getByText('This time has passed.').waitFor();
  await expectFocus(date);
  await select.selectOption('Never');
  await save(page, 'expiration').click();
  await expectText(fact(page, 'Expires'), /^Expires Never/);
});

test('the maximum lifetime of the workspace is offered instead of never', async (t) => {
  const maximum = (days: number | null) => ada.call('PATCH', '/v1/workspace', { maxKeyLifetimeDays: days });
  const { page, key } = await openTab(t, { name: 'At most so long' }, [httpErrorMessage(400)]);
  assert.equal((await maximum(100)).status, 200);
  t.after(() => maximum(null));
  await page.reload();
  await waitUntilLoaded(page);
  await edit(page, 'expiration').click();
  const select = page.getByRole('combobox', { name: 'Expires' });
  const options = select.getByRole('option');
  await expectText(options, /^100 days \(the maximum\) \| 30 days \| 90 days \| Custom date and time…$/);
  await select.selectOption('Custom date and time…');
  await page.getByLabel('Date and time').fill('2090-01-01T10:00');
  await save(page, 'expiration').click();
  await page.getByText(/keys of this workspace expire within 100 days/).waitFor();
  await expectFocus(page.getByLabel('Date and time'));
  await select.selectOption('100 days (the maximum)');
  await save(page, 'expiration').click();
  await expectHidden(save(page, 'expiration'));
  const days = (Date.parse((await readKey(dashboard, key.id)).expiresAt ?? '') - Date.now()) / 86_400_000;
  assert.ok(days > 99.9 && days <= 100, `${days}`);
});

test('external ID and metadata can be set and removed', async (t) => {
  const { page, key } = await openTab(t, { name: 'Known elsewhere' });
  await edit(page, 'external ID').click();
  await page.getByRole('textbox', { name: 'External ID' }).fill('  cus_42 ');
  await page.keyboard.press('Enter');
  await expectText(fact(page, 'External ID'), /cus_42/);
  await edit(page, 'metadata').click();
  await expectFocus(page.getByRole('textbox', { name: 'Name 1' }));
  await page.getByRole('textbox', { name: 'Name 1' }).fill('plan');
  await page.getByRole('textbox', { name: 'Value 1' }).fill('enterprise');
  await page.getByRole('button', { name: 'Add entry' }).click();
  await expectFocus(page.getByRole('textbox', { name: 'Name 2' }));
  await page.getByRole('textbox', { name: 'Name 2' }).fill('plan');
  await save(page, 'metadata').click();
  await expectFocus(page.getByRole('textbox', { name: 'Name 1' }));
  assert.equal(
    await readDescription(page.getByRole('textbox', { name: 'Name 1' })),
    '"plan" is listed twice.',
  );
  await page.getByRole('button', { name: 'Remove entry 2' }).click();
  await expectFocus(page.getByRole('textbox', { name: 'Name 1' }));
  await save(page, 'metadata').click();
  await expectText(fact(page, 'Metadata'), /plan enterprise/);
  const saved = await readKey(dashboard, key.id);
  assert.deepEqual([saved.externalId, saved.metadata], ['cus_42', { plan: 'enterprise' }]);
  await edit(page, 'metadata').click();
  await page.getByRole('button', { name: 'Remove entry 1' }).click();
  await expectFocus(page.getByRole('button', { name: 'Add entry' }));
  await save(page, 'metadata').click();
  await expectText(fact(page, 'Metadata'), /^Metadata None/);
});

test('each property can be opened, left with Escape and saved with the keyboard alone', async (t) => {
  const { page, key } = await openTab(t, { name: 'Only keys' });
  for (const [what, panel] of [
    ['scopes', 'scopes'],
    ['addresses', 'addresses'],
    ['limit', 'limit'],
    ['expiration', 'expiry'],
    ['external ID', 'external-id'],
    ['metadata', 'metadata'],
  ] as const) {
    await tabTo(edit(page, what));
    await page.keyboard.press('Enter');
    await expectPath(page, `/settings/api/${key.id}?tab=access&panel=${panel}`);
    await save(page, what).waitFor();
    await waitUntilLoaded(page);
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await expectHidden(save(page, what));
    await expectPath(page, `/settings/api/${key.id}?tab=access`);
    await expectVisibleFocus(edit(page, what));
  }
});

test('what the server rejects is shown at the field, other failures below it, and the input stays', async (t) => {
  const { page, key } = await openTab(t, { name: 'Rejected' }, [
    httpErrorMessage(400),
    httpErrorMessage(500),
  ]);
  await edit(page, 'addresses').click();
  const field = page.getByRole('textbox', { name: 'Allowed addresses' });
  await field.fill('10.0.0.1 10.0.0.2');
  await page.route(`**/v1/api-keys/${key.id}`, async (route) => {
    if (route.request().method() !== 'PATCH') return route.continue();
    const details = [{ path: 'body/allowedAddresses/1', problem: 'must be another one' }];
    const error = {
      ...{ type: 'invalid_request_error', code: 'invalid_request', message: 'Invalid.', details },
      ...{ timestamp: new Date().toISOString(), requestId: 'req_fromatest' },
    };
    await route.fulfill({ status: 400, json: { error } });
  });
  await save(page, 'addresses').click();
  await page.getByText('Entry 2 must be another one.').waitFor();
  await expectFocus(field);
  await page.unroute(`**/v1/api-keys/${key.id}`);
  await page.route(`**/v1/api-keys/${key.id}`, async (route) => {
    if (route.request().method() === 'PATCH') await route.fulfill({ status: 500, json: {} });
    else await route.continue();
  });
  await save(page, 'addresses').click();
  await expectText(page.getByRole('alert'), /The server responded with 500/);
  assert.equal(await field.inputValue(), '10.0.0.1 10.0.0.2');
});

test('a revoked key is read only and shows the reason', async (t) => {
  const { key } = await ada.createKey({ name: 'Over', externalId: 'cus_1' });
  await ada.call('POST', `/v1/api-keys/${key.id}/revoke`, { reason: 'person_left' });
  const page = await dashboard.open(t, `/settings/api/${key.id}?panel=scopes`);
  await expectText(page.getByRole('main'), /A revoked key can do nothing\./);
  await expectText(page.locator('.key-head'), /Revoked \(person left\)\. Requests are rejected with 401\./);
  await waitUntilLoaded(page);
  assert.equal(await page.getByRole('button', { name: /^(Edit|Save)/ }).count(), 0);
});

test('the same message is announced again, and a name cannot reorder it', async (t) => {
  const { page } = await openTab(t, { name: 'خادم' });
  for (const id of ['first', 'second']) {
    await edit(page, 'external ID').click();
    await page.getByRole('textbox', { name: 'External ID' }).fill(id);
    await page.keyboard.press('Enter');
    await expectHidden(save(page, 'external ID'));
    const unread = page.locator('.toast:not([data-read])');
    await expectText(unread, /^"خادم": external ID saved\.$/);
    await unread.evaluate((toast) => toast.setAttribute('data-read', ''));
  }
  assert.equal(await keys.toast(page).locator('bdi').textContent(), 'خادم');
});

test('a change that takes long does not close the form that was opened meanwhile', async (t) => {
  const { page, key } = await openTab(t, { name: 'Slowly saved' });
  const held = Promise.withResolvers<void>();
  await page.route(`**/v1/api-keys/${key.id}`, async (route) => {
    if (route.request().method() === 'PATCH') await held.promise;
    await route.continue();
  });
  await edit(page, 'external ID').click();
  await page.getByRole('textbox', { name: 'External ID' }).fill('cus_43');
  await page.keyboard.press('Enter');
  await edit(page, 'metadata').click();
  await page.getByRole('textbox', { name: 'Name 1' }).fill('plan');
  held.resolve();
  await expectText(fact(page, 'External ID'), /cus_43/);
  await expectToast(page, /external ID saved/);
  assert.equal(await page.getByRole('textbox', { name: 'Name 1' }).inputValue(), 'plan');
  await save(page, 'metadata').click();
  await expectHidden(save(page, 'metadata'));
  await expectPath(page, `/settings/api/${key.id}?tab=access`);
  assert.equal(await page.getByRole('button', { name: /^Save/ }).count(), 0);
});
