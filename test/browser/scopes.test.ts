/** Settings > API > More actions > Scopes: what the keys of a workspace can be allowed to do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scopeCatalogSchema } from '@soku/contract/scope-catalog';
import type { Page } from 'playwright-core';
import { expectAccessible } from './accessibility.ts';
import { Dashboard, httpErrorMessage, networkErrorMessage } from './dashboard.ts';
import { expectFocus, expectHidden, expectPath, expectText, readTexts, tabTo } from './expect.ts';
import * as keys from './key-pages.ts';
import { expectToast } from './toasts.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

async function ownScopes() {
  const { data } = scopeCatalogSchema.parse((await ada.call('GET', '/v1/scopes')).body);
  return data.filter(({ builtIn }) => !builtIn).map(({ name, description }) => ({ name, description }));
}

async function setScopes(...names: string[]): Promise<void> {
  const response = await ada.call('PUT', '/v1/scopes', { scopes: names.map((name) => ({ name })) });
  assert.equal(response.status, 200, response.text);
}

const list = (page: Page) => page.getByRole('list', { name: 'Scopes of your API' }).getByRole('listitem');
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const field = (page: Page, name: string) => keys.dialog(page).getByRole('textbox', { name, exact: true });
const submit = (page: Page, name: string) => keys.dialog(page).getByRole('button', { name, exact: true });

test('without scopes, the page explains them; the first one is added with the keyboard', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  await button(page, 'More actions').click();
  await keys.menuItem(page, 'Scopes').click();
  await expectPath(page, '/settings/api/scopes');
  await page.getByRole('heading', { name: 'No scopes yet' }).waitFor();
  await page.getByText('GET /v1/verify?scope=files:read').waitFor();
  const builtIn = page.getByRole('list', { name: 'Built-in scopes' }).getByRole('listitem');
  assert.match((await readTexts(builtIn)).join('; '), /keys:write Create, change, rotate and revoke keys\./);
  assert.equal(await builtIn.getByRole('button').count(), 0, 'they cannot be changed');
  await expectAccessible(page);

  await tabTo(button(page, 'Add your first scope'));
  await page.keyboard.press('Enter');
  await expectPath(page, '/settings/api/scopes?panel=add');
  await expectFocus(field(page, 'Name'));
  await page.keyboard.type('files:read');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Read files');
  await page.keyboard.press('Enter');
  await expectToast(page, /^Added the scope files:read\.$/);
  await expectText(list(page), /^files:read Read files Keys with the scope files:read Edit Remove$/);
  assert.deepEqual(await ownScopes(), [{ name: 'files:read', description: 'Read files' }]);
  await expectAccessible(page);
});

test('a name that is not a scope, is reserved or exists is explained next to its field', async (t) => {
  await setScopes('files:read');
  const page = await dashboard.open(t, '/settings/api/scopes?panel=add');
  for (const [name, problem] of [
    ['Files Read', 'Must be a scope of at most 64 characters'],
    ['keys:everything', 'Must not be in the namespaces keys and audit'],
    ['files:read', 'This scope already exists.'],
  ] as const) {
    await field(page, 'Name').fill(name);
    await submit(page, 'Add scope').click();
    await keys.dialog(page).getByText(problem).waitFor();
    await expectFocus(field(page, 'Name'));
  }
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expectHidden(keys.dialog(page));
  assert.deepEqual(await ownScopes(), [{ name: 'files:read', description: '' }]);
});

test('a description is changed, and scopes that another person added meanwhile stay', async (t) => {
  await setScopes('files:read', 'files:write');
  const page = await dashboard.open(t, '/settings/api/scopes');
  await button(page, 'Edit files:write').click();
  await expectFocus(field(page, 'Description'));
  await setScopes('files:read', 'files:write', 'invoices:send');
  await field(page, 'Description').fill('Create and change files');
  await submit(page, 'Save').click();
  await expectToast(page, /^Changed the description of files:write\.$/);
  assert.deepEqual(
    (await ownScopes()).map(({ name, description }) => `${name}: ${description}`),
    ['files:read: ', 'files:write: Create and change files', 'invoices:send: '],
  );
  await expectFocus(button(page, 'Edit files:write'));
});

test('a scope that no key holds is removed', async (t) => {
  await setScopes('files:read', 'files:write');
  const { key } = await ada.createKey({ name: 'Former holder', scopes: ['files:write'] });
  await ada.revoke(key.id);
  const page = await dashboard.open(t, '/settings/api/scopes');
  await button(page, 'Remove files:write').click();
  await keys.alertDialog(page).getByText('No key holds this scope by name.').waitFor();
  await expectFocus(keys.alertDialog(page).getByRole('button', { name: 'Cancel' }));
  await expectAccessible(page);
  await keys.alertDialog(page).getByRole('button', { name: 'Remove scope' }).click();
  await expectToast(page, /^Removed the scope files:write\.$/);
  await expectFocus(keys.heading(page));
  assert.deepEqual(await ownScopes(), [{ name: 'files:read', description: '' }]);
});

test('a scope that keys hold is not removed; the dialog leads to these keys', async (t) => {
  await setScopes('files:read', 'files:write');
  await ada.createKey({ name: 'Holder', scopes: ['files:read'] });
  await ada.createKey({ name: 'Other', scopes: ['files:write'] });
  const page = await dashboard.open(t, '/settings/api/scopes?panel=remove&key=files:read');
  await keys.alertDialog(page).getByRole('heading', { name: 'This scope is in use' }).waitFor();
  await keys
    .alertDialog(page)
    .getByText('1 key holds it. Remove it from this key first, or revoke it.')
    .waitFor();
  assert.equal(await keys.alertDialog(page).getByRole('button', { name: 'Remove scope' }).count(), 0);
  await expectAccessible(page);
  await keys.alertDialog(page).getByRole('link', { name: 'Show these keys' }).click();
  await expectPath(page, '/settings/api?scope=files%3Aread');
  await keys.row(page, 'Holder').waitFor();
  assert.deepEqual(await keys.rowNames(page), ['Holder']);
});

test('a scope that a key received in the meantime is not removed either', async (t) => {
  await setScopes('files:read', 'files:write', 'invoices:send');
  const expected = [httpErrorMessage(409)];
  const page = await dashboard.open(t, '/settings/api/scopes?panel=remove&key=invoices:send', { expected });
  await keys.alertDialog(page).getByText('No key holds this scope by name.').waitFor();
  await ada.createKey({ name: 'Late holder', scopes: ['invoices:send'] });
  await keys.alertDialog(page).getByRole('button', { name: 'Remove scope' }).click();
  await expectText(keys.alertDialog(page).getByRole('alert'), /invoices:send/);
  await keys.alertDialog(page).getByRole('link', { name: 'Show these keys' }).waitFor();
});

test('if the keys that hold a scope cannot be counted, the dialog does not say that there are none', async (t) => {
  await setScopes('files:read', 'files:write', 'invoices:send');
  const expected = [httpErrorMessage(500)];
  const page = await dashboard.open(t, '/settings/api/scopes', { expected });
  await page.route('**/v1/api-keys?**', (route) => route.fulfill({ status: 500, json: {} }));
  await button(page, 'Remove files:read').click();
  await keys.alertDialog(page).getByText('The keys that hold it could not be counted.').waitFor();
  assert.equal(await keys.alertDialog(page).getByText('No key holds this scope by name.').count(), 0);
});

test('a scope that could not be added offline is not added automatically later', async (t) => {
  await setScopes('files:read', 'files:write', 'invoices:send');
  const page = await dashboard.open(t, '/settings/api/scopes?panel=add', { expected: [networkErrorMessage] });
  await field(page, 'Name').fill('offline:read');
  await page.context().setOffline(true);
  await submit(page, 'Add scope').click();
  await expectText(keys.dialog(page).getByRole('alert'), /You are offline/);
  await page.context().setOffline(false);
  await submit(page, 'Add scope').click();
  await expectToast(page, /^Added the scope offline:read\.$/);
});
