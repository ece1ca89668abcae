/** Rate limits: of one key, of a new key, and the default of the workspace. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { keyListSchema, keySchema } from '@soku/contract/keys';
import { workspaceSchema } from '@soku/contract/workspaces';
import type { Page } from 'playwright-core';
import { bearer, call } from '../support/person.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import { expectFocus, expectHidden, expectPath, expectText, readDescription, tabTo } from './expect.ts';
import * as keys from './key-pages.ts';
import { expectToast } from './toasts.ts';

const dashboard = await Dashboard.start({ SOKU_KEY_RATE_LIMIT: '1000' });
after(() => dashboard.stop());
const { ada } = dashboard;

/** In a dialog, or in the row of a key's page. */
const choice = (page: Page) => page.getByRole('combobox', { name: 'Rate limit' });
const number = (page: Page) => page.getByRole('textbox', { name: 'Requests per minute' });
const save = (page: Page) => page.getByRole('button', { name: 'Save limit' });
const editLimit = (page: Page) => page.getByRole('button', { name: 'Edit limit' });
const limitOf = async (id: string) =>
  keySchema.parse((await ada.call('GET', `/v1/api-keys/${id}`)).body).rateLimit;
const statusOfCall = async (apiKey: string) =>
  (await call(`${dashboard.server.url}/v1/me`, { headers: bearer(apiKey) })).status;

test('a custom limit can be set with the keyboard alone and applies to the next request', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'Held back' });
  const page = await dashboard.open(t, `/settings/api/${key.id}?tab=access`);
  await expectText(page.getByRole('main'), /Rate limit 1,000 requests per minute \(workspace default\)/);
  await tabTo(editLimit(page));
  await page.keyboard.press('Enter');
  await expectPath(page, `/settings/api/${key.id}?tab=access&panel=limit`);
  assert.equal(await keys.dialog(page).count(), 0, 'it is edited in place');
  await expectFocus(choice(page));
  await expectText(
    choice(page).getByRole('option'),
    /^Workspace default \(1,000\) \| Custom limit… \| No limit$/,
  );
  await page.keyboard.press('ArrowDown');
  await tabTo(number(page));
  await page.keyboard.type('2');
  await page.keyboard.press('Enter');
  await expectHidden(save(page));
  await expectPath(page, `/settings/api/${key.id}?tab=access`);
  await expectFocus(editLimit(page));
  await expectToast(page, /"Held back": 2 requests per minute, starting with the next request\./);
  await expectText(page.getByRole('main'), /Rate limit 2 requests per minute Edit limit/);
  assert.equal(await limitOf(key.id), 2);
  const statuses = [await statusOfCall(apiKey), await statusOfCall(apiKey)];
  assert.deepEqual(statuses, [200, 200]);
  // If the minute has ended meanwhile, another request or two pass.
  while (statuses.at(-1) === 200 && statuses.length < 6) statuses.push(await statusOfCall(apiKey));
  assert.equal(statuses.at(-1), 429);
});

test('a key can be set to no limit and back to the default', async (t) => {
  const { key } = await ada.createKey({ name: 'Let go', rateLimit: 5 });
  const page = await dashboard.open(t, `/settings/api/${key.id}?tab=access`);
  await editLimit(page).click();
  assert.equal(await number(page).inputValue(), '5');
  await choice(page).selectOption('No limit');
  await expectHidden(number(page));
  await save(page).click();
  await expectText(page.getByRole('main'), /Rate limit No limit Edit limit/);
  assert.equal(await limitOf(key.id), 'off');
  await editLimit(page).click();
  await choice(page).selectOption('Workspace default (1,000)');
  await save(page).click();
  await expectText(page.getByRole('main'), /Rate limit 1,000 requests per minute \(workspace default\)/);
  assert.equal(await limitOf(key.id), null);
});

test('an invalid number is rejected with an explanation at its field, and nothing is sent', async (t) => {
  const { key } = await ada.createKey({ name: 'Mistyped limit' });
  const page = await dashboard.open(t, `/settings/api/${key.id}?panel=limit`);
  await choice(page).selectOption('Custom limit…');
  for (const [typed, problem] of [
    ['', /Enter the number of requests per minute\./],
    ['0', /Must be between 1 and 1,000,000,000\./],
    ['1000000001', /Must be between 1 and 1,000,000,000\./],
    ['1,000', /Use digits only, such as 1000\./],
    ['-5', /Use digits only, such as 1000\./],
    ['many', /Use digits only, such as 1000\./],
  ] satisfies Array<[string, RegExp]>) {
    await number(page).fill(typed);
    await save(page).click();
    await page.getByText(problem).waitFor();
    assert.match(await readDescription(number(page)), problem);
    await expectFocus(number(page));
  }
  assert.equal(await limitOf(key.id), null);
});

test('if a limit cannot be saved, the form shows the error and keeps the input', async (t) => {
  const { key } = await ada.createKey({ name: 'Unsaved limit' });
  const page = await dashboard.open(t, `/settings/api/${key.id}?panel=limit`, {
    expected: [httpErrorMessage(500)],
  });
  await page.route(`**/v1/api-keys/${key.id}`, async (route) => {
    if (route.request().method() === 'PATCH') await route.fulfill({ status: 500, json: {} });
    else await route.continue();
  });
  await choice(page).selectOption('Custom limit…');
  await number(page).fill('7');
  await save(page).click();
  await expectText(page.getByRole('alert'), /The server responded with 500/);
  assert.equal(await number(page).inputValue(), '7');
  await page.unroute(`**/v1/api-keys/${key.id}`);
  await save(page).click();
  await expectText(page.getByRole('main'), /Rate limit 7 requests per minute/);
});

test('a new key gets the chosen limit, and an invalid number expands the section with its field', async (t) => {
  const page = await dashboard.open(t, '/settings/api?panel=generate');
  await keys.nameField(page).fill('Limited from the start');
  const fold = keys.dialog(page).getByText('Scopes, expiration and other options');
  await fold.click();
  await choice(page).selectOption('Custom limit…');
  await number(page).fill('a few');
  await fold.click();
  await expectHidden(number(page));
  await keys.createButton(page).click();
  await keys.dialog(page).getByText('Use digits only, such as 1000.').waitFor();
  await expectFocus(number(page));
  await number(page).fill('3');
  await page.keyboard.press('Enter');
  await keys.readShownKey(page);
  const list = keyListSchema.parse((await ada.call('GET', '/v1/api-keys?q=Limited%20from')).body);
  assert.deepEqual(
    list.data.map(({ rateLimit }) => rateLimit),
    [3],
  );
});

test('the default rate limit is below the list, and a change applies to keys without their own limit', async (t) => {
  const { key } = await ada.createKey({ name: 'As the others' });
  const page = await dashboard.open(t, '/settings/api?q=As%20the%20others');
  const line = page.locator('.workspace-limit');
  const change = page.getByRole('button', { name: 'Change the default rate limit' });
  await expectText(line, /^Default rate limit: 1,000 requests per minute Change/);
  await change.click();
  await expectPath(page, '/settings/api?q=As+the+others&panel=limit');
  await expectFocus(choice(page));
  await expectText(keys.dialog(page), /Keys with their own limit are not affected\./);
  await expectText(
    choice(page).getByRole('option'),
    /^Server default \(1,000\) \| Custom limit… \| No limit$/,
  );
  await choice(page).selectOption('Custom limit…');
  await number(page).fill('250');
  await save(page).click();
  await expectHidden(keys.dialog(page));
  await expectText(line, /^Default rate limit: 250 requests per minute/);
  await expectToast(page, /Default rate limit: 250 requests per minute, starting with the next request\./);
  await expectFocus(change);
  const workspace = workspaceSchema.parse((await ada.call('GET', '/v1/workspace')).body);
  assert.equal(workspace.rateLimit, 250);
  await page.getByRole('link', { name: key.name }).click();
  await page.getByRole('link', { name: 'Access' }).click();
  await expectText(page.getByRole('main'), /Rate limit 250 requests per minute \(workspace default\)/);
  assert.equal((await ada.call('PATCH', '/v1/workspace', { rateLimit: null })).status, 200);
});
