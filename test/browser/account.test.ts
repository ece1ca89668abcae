/** Settings, Account: the name, the password, the sessions and the theme. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sessionSchema } from '@soku/contract/accounts';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import type { Person } from '../support/person.ts';
import { owner } from '../support/server.ts';
import { waitUntilLoaded } from './accessibility.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import {
  evaluate,
  expectFocus,
  expectHidden,
  expectPath,
  expectText,
  readDescription,
  tabTo,
} from './expect.ts';
import { alertDialog, dialog, heading } from './key-pages.ts';
import { expectToast } from './toasts.ts';

// Many of these tests end all other sessions, so each test signs in separately.
const dashboard = await Dashboard.start();
after(() => dashboard.stop());

const nameField = (page: Page) => page.getByRole('textbox', { name: 'Your name' });
const saveName = (page: Page) => page.getByRole('button', { name: 'Save name' }).click();
const userOf = async (person: Person) =>
  sessionSchema.parse((await person.call('GET', '/api/session')).body).user;

test('a changed name is shown immediately', async (t) => {
  const person = await dashboard.openSession();
  const page = await dashboard.open(t, '/settings/account', { as: person });
  await nameField(page).fill('Ada Lovelace');
  await saveName(page);
  await expectToast(page, /Your name has been saved\./);
  await page.getByRole('button', { name: /Ada Lovelace/ }).waitFor();
  assert.equal((await userOf(person))?.name, 'Ada Lovelace');
  await nameField(page).fill('   ');
  await saveName(page);
  await page.getByText('Must not be empty.').waitFor();
  assert.match(await readDescription(nameField(page)), /Must not be empty\./);
  assert.equal((await userOf(person))?.name, 'Ada Lovelace');
});

async function fillInPasswords(page: Page, current: string, next: string): Promise<void> {
  await dialog(page).getByRole('textbox', { name: 'Current password' }).fill(current);
  await dialog(page).getByRole('textbox', { name: 'New password' }).fill(next);
  await page.keyboard.press('Enter');
}

test('changing the password requires the current one and ends all other sessions', async (t) => {
  const other = await dashboard.openSession();
  const page = await dashboard.open(t, '/settings/account', {
    as: await dashboard.openSession(),
    expected: [httpErrorMessage(400), httpErrorMessage(400)],
  });
  const opener = page.getByRole('button', { name: 'Change password' });
  await opener.click();
  await expectPath(page, '/settings/account?panel=password');
  const current = dialog(page).getByRole('textbox', { name: 'Current password' });
  await expectFocus(current);
  await fillInPasswords(page, 'not the password', 'another long password');
  await dialog(page).getByText('The current password is incorrect.').waitFor();
  assert.match(await readDescription(current), /The current password is incorrect\./);
  await fillInPasswords(page, owner.password, 'short');
  await dialog(page).getByText('Must have at least 8 characters.').waitFor();
  await fillInPasswords(page, owner.password, 'PassWord1');
  await dialog(page).getByText('Is a common password that is easy to guess; choose another one.').waitFor();
  assert.equal((await other.call('GET', '/v1/api-keys')).status, 200);

  await fillInPasswords(page, owner.password, 'another long password');
  await expectHidden(dialog(page));
  await expectToast(page, /Your password has been changed\. All other browsers are signed out\./);
  await expectFocus(opener);
  assert.equal((await other.call('GET', '/v1/api-keys')).status, 401);
  const back = await (await dashboard.openSession()).call('POST', '/api/auth/change-password', {
    currentPassword: 'another long password',
    newPassword: owner.password,
  });
  assert.equal(back.status, 200, back.text);
});

test('ending a session from the list signs that browser out', async (t) => {
  const person = await dashboard.openSession();
  await person.call('POST', '/api/auth/revoke-other-sessions', {});
  const page = await dashboard.open(t, '/settings/account', { as: person });
  const other = await dashboard.open(t, '/settings/api', {
    as: await dashboard.openSession(),
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    expected: [httpErrorMessage(401)],
  });
  await expectText(heading(other), /API keys/);
  await page.reload();
  const sessions = page.getByRole('list', { name: 'Sessions' }).getByRole('listitem');
  await expectText(sessions.first(), /This browser/);
  await sessions.nth(1).waitFor();
  assert.equal(await sessions.count(), 2);
  assert.equal(await sessions.first().getByRole('button').count(), 0);
  await sessions
    .nth(1)
    .getByRole('button', { name: /^End session: / })
    .click();
  await expectToast(page, /^Session ended: /);
  await expectHidden(sessions.nth(1));
  await expectFocus(heading(page));
  await other.reload();
  await expectPath(other, '/login?next=%2Fsettings%2Fapi');
});

test('signing out everywhere else signs out all other browsers but not this one', async (t) => {
  const other = await dashboard.open(t, '/settings/api', {
    as: await dashboard.openSession(),
    expected: [httpErrorMessage(401)],
  });
  const page = await dashboard.open(t, '/settings/account', { as: await dashboard.openSession() });
  // The list of sessions above the button moves it when it arrives, which can be between pressing and releasing it.
  await waitUntilLoaded(page);
  await page.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await expectText(alertDialog(page), /Sign out everywhere else\?.*API keys are not affected/);
  await expectFocus(alertDialog(page).getByRole('button', { name: 'Cancel' }));
  await alertDialog(page).getByRole('button', { name: 'Sign out everywhere else' }).click();
  await expectHidden(alertDialog(page));
  await expectToast(page, /All other browsers are signed out\./);
  await other.reload();
  await expectPath(other, '/login?next=%2Fsettings%2Fapi');
  await page.reload();
  await expectText(heading(page), /^Account$/);
});

test('signing out everywhere also signs out this browser', async (t) => {
  const page = await dashboard.open(t, '/settings/account?panel=end-all', {
    as: await dashboard.openSession(),
    // A page that still loads when its session ends.
    expected: [httpErrorMessage(401)],
  });
  await alertDialog(page).getByRole('button', { name: 'Sign out everywhere' }).click();
  await expectPath(page, '/login');
  await page.goto(`${dashboard.server.url}/settings/account`);
  await expectPath(page, '/login?next=%2Fsettings%2Faccount');
});

const background = (page: Page) =>
  evaluate(page, z.string(), 'getComputedStyle(document.documentElement).backgroundColor');

/** Records the theme when the body starts, before anything can be painted. */
const recordTheme = `new MutationObserver((_changes, observer) => {
  if (!document.body) return;
  observer.disconnect();
  window.themeAtBody = document.documentElement.dataset.theme ?? 'system';
}).observe(document, { childList: true, subtree: true })`;

test('a chosen theme applies after a reload, before the first paint and on the login page', async (t) => {
  const person = await dashboard.openSession();
  const page = await dashboard.open(t, '/settings/account', { as: person, colorScheme: 'light' });
  await page.addInitScript(recordTheme);
  const light = await background(page);
  const choose = page.getByRole('main').getByRole('radio', { name: 'Dark' });
  await tabTo(page.getByRole('main').getByRole('radio', { name: 'System' }));
  await page.keyboard.press('ArrowLeft');
  assert.equal(await choose.isChecked(), true);
  const dark = await background(page);
  assert.notEqual(dark, light);
  for (const path of ['/settings/account', '/help/authentication', '/login']) {
    if (path === '/login') {
      // The page that is open could still send a request, which would be rejected.
      await page.goto('about:blank');
      await page.context().clearCookies();
    }
    await page.goto(dashboard.server.url + path);
    assert.equal(
      await evaluate(page, z.string(), 'window.themeAtBody'),
      'dark',
      `${path} before its first paint`,
    );
    assert.equal(await background(page), dark);
  }
});

test('the theme follows the device until one is chosen, also in the account menu', async (t) => {
  const page = await dashboard.open(t, '/', { as: await dashboard.openSession(), colorScheme: 'dark' });
  const dark = await background(page);
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await background(page);
  assert.notEqual(light, dark);
  await page.getByRole('button', { name: /Account menu|Ada|ada@/ }).click();
  await page.getByText('Dark', { exact: true }).click();
  assert.equal(await background(page), dark);
  await page.getByText('System', { exact: true }).click();
  assert.equal(await background(page), light);
});
