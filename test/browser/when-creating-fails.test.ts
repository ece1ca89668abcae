/** A failure while a key is created ends with exactly one usable key, or with an error and a way to continue. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Key, keyListSchema } from '@soku/contract/keys';
import type { Page, Route } from 'playwright-core';
import type { Person } from '../support/person.ts';
import { owner } from '../support/server.ts';
import { Dashboard, httpErrorMessage, networkErrorMessage } from './dashboard.ts';
import { expectFocus, expectHidden, expectPath, expectText, readDescription } from './expect.ts';
import * as keys from './key-pages.ts';
import { serverError } from './server-error.ts';

const dashboard = await Dashboard.shared();

async function keysNamed(name: string): Promise<Key[]> {
  const response = await dashboard.ada.call('GET', `/v1/api-keys?status=all&q=${encodeURIComponent(name)}`);
  return keyListSchema.parse(response.body).data;
}

/** Opens the form and fills in a name. */
async function fillIn(
  t: TestContext,
  name: string,
  options: { as?: Person; expected: RegExp[] },
): Promise<Page> {
  const page = await dashboard.open(t, '/settings/api', options);
  await keys.generateButton(page).click();
  await keys.nameField(page).fill(name);
  return page;
}

const creating = '**/v1/api-keys';

/** The server receives the request and creates the key, but its response is lost. */
async function loseResponse(route: Route): Promise<void> {
  if (route.request().method() !== 'POST') return route.continue();
  await route.fetch();
  await route.abort();
}

test('if the response is lost, the page reports that the key exists and can replace it without new input', async (t) => {
  const page = await fillIn(t, 'Lost response', { expected: [networkErrorMessage, httpErrorMessage(409)] });
  await page.route(creating, loseResponse, { times: 1 });
  await keys.createButton(page).click();
  await expectText(
    keys.dialog(page),
    /The key was created, but the response that contains it was lost.*cannot be shown again/,
  );
  const [lost, ...others] = await keysNamed('Lost response');
  assert.ok(lost);
  assert.deepEqual(others, []);
  await keys.row(page, 'Lost response').waitFor();

  await keys.dialog(page).getByRole('button', { name: 'Revoke and create another' }).click();
  assert.equal(await keys.nameField(page).inputValue(), 'Lost response');
  assert.deepEqual(
    (await keysNamed('Lost response')).map((key) => key.status),
    ['revoked'],
  );
  await keys.createButton(page).click();
  await keys.readShownKey(page);
  assert.deepEqual(
    (await keysNamed('Lost response')).map((key) => key.status),
    ['active', 'revoked'],
  );
});

test('a key whose response was lost can stay active', async (t) => {
  const page = await fillIn(t, 'Lost and left', { expected: [networkErrorMessage, httpErrorMessage(409)] });
  await page.route(creating, loseResponse, { times: 1 });
  await keys.createButton(page).click();
  await keys.dialog(page).getByRole('button', { name: 'Close without revoking' }).click();
  await expectHidden(keys.dialog(page));
  await expectText(keys.row(page, 'Lost and left'), /Active/);
});

test('if every response is lost, trying again does not create a second key', async (t) => {
  const page = await fillIn(t, 'Every response lost', {
    expected: [networkErrorMessage, httpErrorMessage(409)],
  });
  await page.route(creating, loseResponse, { times: 2 });
  await keys.createButton(page).click();
  await expectText(keys.dialog(page).getByRole('alert'), /The server did not respond/);
  await keys.createButton(page).click();
  await expectText(keys.dialog(page), /The key was created, but the response that contains it was lost/);
  assert.equal((await keysNamed('Every response lost')).length, 1);
});

test('a request that does not reach the server is repeated automatically and creates one key', async (t) => {
  const page = await fillIn(t, 'Tried again', { expected: [networkErrorMessage] });
  await page.route(creating, (route) => route.abort(), { times: 1 });
  await keys.createButton(page).click();
  await keys.readShownKey(page);
  assert.equal((await keysNamed('Tried again')).length, 1);
});

test('if the server is unreachable, the dialog shows an error and keeps the name, and a retry creates one key', async (t) => {
  const page = await fillIn(t, 'Server away', { expected: [networkErrorMessage] });
  await page.route(creating, (route) => route.abort());
  await keys.createButton(page).click();
  await expectText(
    keys.dialog(page).getByRole('alert'),
    /The server did not respond\. Check that it is running/,
  );
  assert.equal(await keys.nameField(page).inputValue(), 'Server away');
  await page.unroute(creating);
  await keys.createButton(page).click();
  await keys.readShownKey(page);
  assert.equal((await keysNamed('Server away')).length, 1);
});

test('if the browser is offline, the dialog shows an error, and the request is not repeated', async (t) => {
  const page = await fillIn(t, 'No network', { expected: [networkErrorMessage] });
  await page.context().setOffline(true);
  await keys.createButton(page).click();
  await expectText(
    keys.dialog(page).getByRole('alert'),
    /You are offline\. Try again when you are back online\./,
  );
  await page.context().setOffline(false);
  await keys.createButton(page).click();
  await keys.readShownKey(page);
  assert.equal((await keysNamed('No network')).length, 1);
});

test('a server error is shown in the dialog with its message and request id', async (t) => {
  const page = await fillIn(t, 'Server failure', { expected: [httpErrorMessage(500)] });
  await page.route(creating, (route) => route.fulfill(serverError), { times: 1 });
  await keys.createButton(page).click();
  await expectText(
    keys.dialog(page).getByRole('alert'),
    /Internal server error\. Try again\. Request ID req_fromatest/,
  );
  await keys.createButton(page).click();
  await keys.readShownKey(page);
  assert.equal((await keysNamed('Server failure')).length, 1);
});

const password = (page: Page) => keys.dialog(page).getByRole('textbox', { name: 'Password' });

async function signInAgain(page: Page): Promise<void> {
  await password(page).fill(owner.password);
  await keys.dialog(page).getByRole('button', { name: 'Sign in' }).click();
}

test('if the session has ended, the page asks for the password in place and then creates one key', async (t) => {
  const person = await dashboard.openSession();
  const page = await fillIn(t, 'Session over', { as: person, expected: [httpErrorMessage(401)] });
  await dashboard.database('DELETE FROM session WHERE token = ?', person.storedToken);
  await keys.createButton(page).click();
  await keys.dialog(page).getByRole('heading', { name: 'Your session has ended' }).waitFor();
  await expectText(keys.dialog(page), /Nothing you typed is lost/);
  assert.equal(await keys.dialog(page).getByRole('textbox', { name: 'Email' }).inputValue(), owner.email);
  await expectFocus(password(page));
  await signInAgain(page);
  await keys.readShownKey(page);
  await expectText(keys.dialog(page), /Session over/);
  assert.equal((await keysNamed('Session over')).length, 1);
  await expectFocus(keys.copyButton(page));
});

test('if the sign-in is too old, a wrong password loses nothing, and the right one creates the key', async (t) => {
  const person = await dashboard.openSession();
  const page = await fillIn(t, 'Old sign-in', {
    as: person,
    expected: [httpErrorMessage(401), httpErrorMessage(403)],
  });
  const threeHoursAgo = new Date(Date.now() - 3 * 60 * 60 * 1000).toISOString();
  await dashboard.database(
    'UPDATE session SET "createdAt" = ? WHERE token = ?',
    threeHoursAgo,
    person.storedToken,
  );
  await keys.createButton(page).click();
  await keys.dialog(page).getByRole('heading', { name: 'Confirm your password' }).waitFor();
  await password(page).fill('wrong password');
  await page.keyboard.press('Enter');
  await expectText(
    keys.dialog(page).getByRole('alert').last(),
    /The email address or password is incorrect\./,
  );
  assert.deepEqual(await keysNamed('Old sign-in'), []);
  await signInAgain(page);
  await keys.readShownKey(page);
  assert.equal((await keysNamed('Old sign-in')).length, 1);
});

test('canceling the password dialog returns to the form and keeps the name', async (t) => {
  const person = await dashboard.openSession();
  const page = await fillIn(t, 'Canceled', { as: person, expected: [httpErrorMessage(403)] });
  const threeHoursAgo = new Date(Date.now() - 3 * 60 * 60 * 1000).toISOString();
  await dashboard.database(
    'UPDATE session SET "createdAt" = ? WHERE token = ?',
    threeHoursAgo,
    person.storedToken,
  );
  await keys.createButton(page).click();
  await password(page).waitFor();
  await page.keyboard.press('Escape');
  await expectHidden(password(page));
  await expectText(keys.dialog(page).getByRole('alert'), /Sign in again to create, rotate or import keys/);
  assert.equal(await keys.nameField(page).inputValue(), 'Canceled');
  await expectPath(page, '/settings/api?panel=generate');
});

for (const [what, name, problem] of [
  ['an empty name', '   ', /Must not be empty\./],
  ['a name of 101 characters', 'n'.repeat(101), /Must have at most 100 characters\./],
  ['a name that contains a key', '', /Must not contain an API key\./],
] satisfies Array<[string, string, RegExp]>) {
  test(`${what} is rejected at the field and creates no key`, async (t) => {
    // Only the server rejects a key in the name, so Chromium logs the 400.
    const typed =
      name === '' ? `mine: ${(await dashboard.ada.createKey({ name: 'To be pasted' })).apiKey}` : name;
    const page = await fillIn(t, typed, { expected: name === '' ? [httpErrorMessage(400)] : [] });
    const created: string[] = [];
    page.on('response', (response) => {
      if (response.status() === 201) created.push(response.url());
    });
    await page.keyboard.press('Enter');
    await keys.dialog(page).getByText(problem).waitFor();
    assert.match(await readDescription(keys.nameField(page)), problem);
    assert.equal(await keys.nameField(page).getAttribute('aria-invalid'), 'true');
    assert.equal(await keys.nameField(page).inputValue(), typed);
    await expectFocus(keys.nameField(page));
    assert.deepEqual(created, []);
    await expectHidden(keys.keyField(page));
  });
}

test('choosing a suggested name fills in and focuses the field', async (t) => {
  const page = await fillIn(t, '', { expected: [] });
  await keys.dialog(page).getByRole('button', { name: 'CI/CD Pipeline' }).click();
  assert.equal(await keys.nameField(page).inputValue(), 'CI/CD Pipeline');
  await expectFocus(keys.nameField(page));
});

test('expiration and scopes are collapsed, and the key is created with the chosen ones', async (t) => {
  const page = await fillIn(t, 'With everything', { expected: [] });
  const expires = keys.dialog(page).getByRole('combobox', { name: 'Expires' });
  await expectHidden(expires);
  await keys.dialog(page).getByText('Scopes, expiration and other options').click();
  await expires.selectOption('Custom date and time…');
  const date = keys.dialog(page).getByLabel('Date and time');
  await date.fill('2020-01-01T10:00');
  await keys.createButton(page).click();
  await keys.dialog(page).getByText('This time has passed.').waitFor();
  assert.match(await readDescription(date), /This time has passed\./);
  await expectFocus(date);
  await expires.selectOption('30 days');
  await keys.dialog(page).getByText('Built-in scopes').first().click();
  await keys
    .dialog(page)
    .getByRole('checkbox', { name: /keys:read/ })
    .check();
  await keys.createButton(page).click();
  await keys.readShownKey(page);
  const [created] = await keysNamed('With everything');
  assert.deepEqual(created?.scopes, ['keys:read']);
  const days = (Date.parse(created?.expiresAt ?? '') - Date.now()) / (24 * 60 * 60 * 1000);
  assert.ok(days > 29.9 && days <= 30, `${days}`);
});
