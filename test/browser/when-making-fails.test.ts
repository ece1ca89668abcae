/** What breaks while a key is made ends with exactly one key that somebody holds, or with words and a way out. */
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { errorSchema } from '@soku/contract/errors';
import { type Key, keyListSchema } from '@soku/contract/keys';
import type { Page, Route } from 'playwright-core';
import type { Person } from '../support/person.ts';
import { owner } from '../support/server.ts';
import { answered, Dashboard, noAnswer } from './dashboard.ts';
import { describedAs, hasFocus, isAt, isGone, reads } from './expect.ts';
import * as keys from './key-pages.ts';

const dashboard = await Dashboard.start();
after(() => dashboard.stop());

async function keysNamed(name: string): Promise<Key[]> {
  const answer = await dashboard.ada.call('GET', `/v1/api-keys?status=all&q=${encodeURIComponent(name)}`);
  return keyListSchema.parse(answer.body).data;
}

/** The form with a name in it, before Create. */
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

/** The server gets the call and makes the key; its answer never arrives. */
async function loseAnswer(route: Route): Promise<void> {
  if (route.request().method() !== 'POST') return route.continue();
  await route.fetch();
  await route.abort();
}

test('when the answer is lost, one key exists, the page says so, and it can be replaced without typing', async (t) => {
  const page = await fillIn(t, 'Lost answer', { expected: [noAnswer, answered(409)] });
  await page.route(creating, loseAnswer, { times: 1 });
  await keys.createButton(page).click();
  await reads(keys.dialog(page), /The key was made, but the answer with it was lost.*cannot be shown again/);
  const [lost, ...others] = await keysNamed('Lost answer');
  assert.ok(lost);
  assert.deepEqual(others, []);
  await keys.row(page, 'Lost answer').waitFor();

  await keys.dialog(page).getByRole('button', { name: 'Revoke it and make another' }).click();
  assert.equal(await keys.nameField(page).inputValue(), 'Lost answer');
  assert.deepEqual(
    (await keysNamed('Lost answer')).map((key) => key.status),
    ['revoked'],
  );
  await keys.createButton(page).click();
  await keys.shownKey(page);
  assert.deepEqual(
    (await keysNamed('Lost answer')).map((key) => key.status),
    ['active', 'revoked'],
  );
});

test('a key whose answer was lost can be left in the list', async (t) => {
  const page = await fillIn(t, 'Lost and left', { expected: [noAnswer, answered(409)] });
  await page.route(creating, loseAnswer, { times: 1 });
  await keys.createButton(page).click();
  await keys.dialog(page).getByRole('button', { name: 'Leave it in the list' }).click();
  await isGone(keys.dialog(page));
  await reads(keys.row(page, 'Lost and left'), /Active/);
});

test('when every answer is lost, trying again still makes no second key', async (t) => {
  const page = await fillIn(t, 'Every answer lost', { expected: [noAnswer, answered(409)] });
  await page.route(creating, loseAnswer, { times: 2 });
  await keys.createButton(page).click();
  await reads(keys.dialog(page).getByRole('alert'), /The server did not answer/);
  await keys.createButton(page).click();
  await reads(keys.dialog(page), /The key was made, but the answer with it was lost/);
  assert.equal((await keysNamed('Every answer lost')).length, 1);
});

test('a call that did not reach the server is made once more by itself, and makes one key', async (t) => {
  const page = await fillIn(t, 'Tried again', { expected: [noAnswer] });
  await page.route(creating, (route) => route.abort(), { times: 1 });
  await keys.createButton(page).click();
  await keys.shownKey(page);
  assert.equal((await keysNamed('Tried again')).length, 1);
});

test('when the server stays away, the dialog says so and keeps the name; later the same form makes one key', async (t) => {
  const page = await fillIn(t, 'Server away', { expected: [noAnswer] });
  await page.route(creating, (route) => route.abort());
  await keys.createButton(page).click();
  await reads(keys.dialog(page).getByRole('alert'), /The server did not answer\. Check that it runs/);
  assert.equal(await keys.nameField(page).inputValue(), 'Server away');
  await page.unroute(creating);
  await keys.createButton(page).click();
  await keys.shownKey(page);
  assert.equal((await keysNamed('Server away')).length, 1);
});

test('without a network the dialog says that, and no second try is made', async (t) => {
  const page = await fillIn(t, 'No network', { expected: [noAnswer] });
  await page.context().setOffline(true);
  await keys.createButton(page).click();
  await reads(
    keys.dialog(page).getByRole('alert'),
    /You are offline\. Try again when the connection is back\./,
  );
  await page.context().setOffline(false);
  await keys.createButton(page).click();
  await keys.shownKey(page);
  assert.equal((await keysNamed('No network')).length, 1);
});

test('a failure inside the server is shown in the dialog, in words and with the request id', async (t) => {
  const page = await fillIn(t, 'Server failure', { expected: [answered(500)] });
  const body = errorSchema.parse({
    error: {
      type: 'api_error',
      code: 'internal_error',
      message: 'Something failed inside. Try again.',
      timestamp: new Date().toISOString(),
      requestId: 'req_fromatest',
    },
  });
  await page.route(creating, (route) => route.fulfill({ status: 500, json: body }), { times: 1 });
  await keys.createButton(page).click();
  await reads(
    keys.dialog(page).getByRole('alert'),
    /Something failed inside\. Try again\. Request req_fromatest/,
  );
  await keys.createButton(page).click();
  await keys.shownKey(page);
  assert.equal((await keysNamed('Server failure')).length, 1);
});

const password = (page: Page) => keys.dialog(page).getByRole('textbox', { name: 'Password' });

async function signInAgain(page: Page): Promise<void> {
  await password(page).fill(owner.password);
  await keys.dialog(page).getByRole('button', { name: 'Sign in' }).click();
}

test('when the session is over, the password is asked for in place, and one key is made of what was typed', async (t) => {
  const person = await dashboard.openSession();
  const page = await fillIn(t, 'Session over', { as: person, expected: [answered(401)] });
  await dashboard.database('DELETE FROM session WHERE token = ?', person.storedToken);
  await keys.createButton(page).click();
  await keys.dialog(page).getByRole('heading', { name: 'Your session is over' }).waitFor();
  await reads(keys.dialog(page), /Nothing that you typed is lost/);
  assert.equal(await keys.dialog(page).getByRole('textbox', { name: 'E-mail' }).inputValue(), owner.email);
  await hasFocus(password(page));
  await signInAgain(page);
  await keys.shownKey(page);
  await reads(keys.dialog(page), /Session over/);
  assert.equal((await keysNamed('Session over')).length, 1);
  await hasFocus(keys.copyButton(page));
});

test('when the sign-in is too old for making a key, a wrong password loses nothing and the right one makes the key', async (t) => {
  const person = await dashboard.openSession();
  const page = await fillIn(t, 'Old sign-in', { as: person, expected: [answered(401), answered(403)] });
  const threeHoursAgo = new Date(Date.now() - 3 * 60 * 60 * 1000).toISOString();
  await dashboard.database(
    'UPDATE session SET "createdAt" = ? WHERE token = ?',
    threeHoursAgo,
    person.storedToken,
  );
  await keys.createButton(page).click();
  await keys.dialog(page).getByRole('heading', { name: 'Is it still you?' }).waitFor();
  await password(page).fill('wrong password');
  await page.keyboard.press('Enter');
  await reads(keys.dialog(page).getByRole('alert').last(), /The e-mail address or the password is wrong\./);
  assert.deepEqual(await keysNamed('Old sign-in'), []);
  await signInAgain(page);
  await keys.shownKey(page);
  assert.equal((await keysNamed('Old sign-in')).length, 1);
});

test('whoever cancels the question for the password comes back to the form with the name in it', async (t) => {
  const person = await dashboard.openSession();
  const page = await fillIn(t, 'Cancelled', { as: person, expected: [answered(403)] });
  const threeHoursAgo = new Date(Date.now() - 3 * 60 * 60 * 1000).toISOString();
  await dashboard.database(
    'UPDATE session SET "createdAt" = ? WHERE token = ?',
    threeHoursAgo,
    person.storedToken,
  );
  await keys.createButton(page).click();
  await password(page).waitFor();
  await page.keyboard.press('Escape');
  await isGone(password(page));
  await reads(keys.dialog(page).getByRole('alert'), /Sign in again to make a key/);
  assert.equal(await keys.nameField(page).inputValue(), 'Cancelled');
  await isAt(page, '/settings/api?panel=generate');
});

for (const [what, name, problem] of [
  ['an empty name', '   ', /Must not be empty\./],
  ['a name of 101 characters', 'n'.repeat(101), /Must have at most 100 characters\./],
  ['a name that holds a key', '', /Must not hold an API key\./],
] satisfies Array<[string, string, RegExp]>) {
  test(`${what} is refused at the field, and makes no key`, async (t) => {
    // Refused by the server alone, so that one has Chromium's line for the 400.
    const typed =
      name === '' ? `mine: ${(await dashboard.ada.makeKey({ name: 'To be pasted' })).apiKey}` : name;
    const page = await fillIn(t, typed, { expected: name === '' ? [answered(400)] : [] });
    const made: string[] = [];
    page.on('response', (response) => {
      if (response.status() === 201) made.push(response.url());
    });
    await page.keyboard.press('Enter');
    await keys.dialog(page).getByText(problem).waitFor();
    assert.match(await describedAs(keys.nameField(page)), problem);
    assert.equal(await keys.nameField(page).getAttribute('aria-invalid'), 'true');
    assert.equal(await keys.nameField(page).inputValue(), typed);
    await hasFocus(keys.nameField(page));
    assert.deepEqual(made, []);
    await isGone(keys.keyField(page));
  });
}

test('a suggested name goes into the field, and the focus with it', async (t) => {
  const page = await fillIn(t, '', { expected: [] });
  await keys.dialog(page).getByRole('button', { name: 'CI/CD Pipeline' }).click();
  assert.equal(await keys.nameField(page).inputValue(), 'CI/CD Pipeline');
  await hasFocus(keys.nameField(page));
});

test('an expiry and scopes are folded away, and the key is made with what was chosen', async (t) => {
  const page = await fillIn(t, 'With everything', { expected: [] });
  const expires = keys.dialog(page).getByRole('combobox', { name: 'Expires' });
  await isGone(expires);
  await keys.dialog(page).getByText('Expiry, limit and scopes').click();
  await expires.selectOption('At a date and time…');
  const date = keys.dialog(page).getByLabel('Date and time');
  await date.fill('2020-01-01T10:00');
  await keys.createButton(page).click();
  await keys.dialog(page).getByText('This time has passed.').waitFor();
  assert.match(await describedAs(date), /This time has passed\./);
  await hasFocus(date);
  await expires.selectOption('30 days');
  await keys
    .dialog(page)
    .getByRole('checkbox', { name: /keys:read/ })
    .check();
  await keys.createButton(page).click();
  await keys.shownKey(page);
  const [made] = await keysNamed('With everything');
  assert.deepEqual(made?.scopes, ['keys:read']);
  const days = (Date.parse(made?.expiresAt ?? '') - Date.now()) / (24 * 60 * 60 * 1000);
  assert.ok(days > 29.9 && days <= 30, `${days}`);
});
