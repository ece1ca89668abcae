/** Settings, Account: the name, the password, the sessions and the theme. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sessionSchema } from '@soku/contract/accounts';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import type { Person } from '../support/person.ts';
import { owner } from '../support/server.ts';
import { answered, Dashboard } from './dashboard.ts';
import { describedAs, evaluate, hasFocus, isAt, isGone, reads, tabTo } from './expect.ts';
import { dialog, heading, question, toast } from './key-pages.ts';

// Many of these tests end every other session, so each signs in by itself.
const dashboard = await Dashboard.start();
after(() => dashboard.stop());

const nameField = (page: Page) => page.getByRole('textbox', { name: 'Your name' });
const saveName = (page: Page) => page.getByRole('button', { name: 'Save name' }).click();
const userOf = async (person: Person) =>
  sessionSchema.parse((await person.call('GET', '/api/session')).body).user;

test('the name is changed, and shown at once where it stands', async (t) => {
  const person = await dashboard.openSession();
  const page = await dashboard.open(t, '/settings/account', { as: person });
  await nameField(page).fill('Ada Lovelace');
  await saveName(page);
  await reads(toast(page), /Your name is saved\./);
  await page.getByRole('button', { name: /Ada Lovelace/ }).waitFor();
  assert.equal((await userOf(person))?.name, 'Ada Lovelace');
  await nameField(page).fill('   ');
  await saveName(page);
  await page.getByText('Must not be empty.').waitFor();
  assert.match(await describedAs(nameField(page)), /Must not be empty\./);
  assert.equal((await userOf(person))?.name, 'Ada Lovelace');
});

async function fillInPasswords(page: Page, current: string, next: string): Promise<void> {
  await dialog(page).getByRole('textbox', { name: 'Current password' }).fill(current);
  await dialog(page).getByRole('textbox', { name: 'New password' }).fill(next);
  await page.keyboard.press('Enter');
}

test('the password is changed with the current one only, and that ends every other session', async (t) => {
  const other = await dashboard.openSession();
  const page = await dashboard.open(t, '/settings/account', {
    as: await dashboard.openSession(),
    expected: [answered(400), answered(400)],
  });
  const opener = page.getByRole('button', { name: 'Change password' });
  await opener.click();
  await isAt(page, '/settings/account?panel=password');
  const current = dialog(page).getByRole('textbox', { name: 'Current password' });
  await hasFocus(current);
  await fillInPasswords(page, 'not the password', 'another long password');
  await dialog(page).getByText('The current password is wrong.').waitFor();
  assert.match(await describedAs(current), /The current password is wrong\./);
  await fillInPasswords(page, owner.password, 'short');
  await dialog(page).getByText('Must have at least 8 characters.').waitFor();
  await fillInPasswords(page, owner.password, 'PassWord1');
  await dialog(page).getByText('Is a common password, which is guessed first; choose another one.').waitFor();
  assert.equal((await other.call('GET', '/v1/api-keys')).status, 200);

  await fillInPasswords(page, owner.password, 'another long password');
  await isGone(dialog(page));
  await reads(toast(page), /Your password is changed\. Every other session is ended\./);
  await hasFocus(opener);
  assert.equal((await other.call('GET', '/v1/api-keys')).status, 401);
  const back = await (await dashboard.openSession()).call('POST', '/api/auth/change-password', {
    currentPassword: 'another long password',
    newPassword: owner.password,
  });
  assert.equal(back.status, 200, back.text);
});

test('one session of another browser is ended from the list, and that browser is signed out', async (t) => {
  const person = await dashboard.openSession();
  await person.call('POST', '/api/auth/revoke-other-sessions', {});
  const page = await dashboard.open(t, '/settings/account', { as: person });
  const other = await dashboard.open(t, '/settings/api', {
    as: await dashboard.openSession(),
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    expected: [answered(401)],
  });
  await reads(heading(other), /API keys/);
  await page.reload();
  const sessions = page.getByRole('list', { name: 'Sessions' }).getByRole('listitem');
  await reads(sessions.first(), /This browser/);
  await sessions.nth(1).waitFor();
  assert.equal(await sessions.count(), 2);
  assert.equal(await sessions.first().getByRole('button').count(), 0);
  await sessions
    .nth(1)
    .getByRole('button', { name: /^End the session of / })
    .click();
  await reads(toast(page), /^The session of .* is ended\.$/);
  await isGone(sessions.nth(1));
  await hasFocus(heading(page));
  await other.reload();
  await isAt(other, '/login?next=%2Fsettings%2Fapi');
});

test('signing out everywhere else ends the other browsers and not this one', async (t) => {
  const other = await dashboard.open(t, '/settings/api', {
    as: await dashboard.openSession(),
    expected: [answered(401)],
  });
  const page = await dashboard.open(t, '/settings/account', { as: await dashboard.openSession() });
  await page.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await reads(question(page), /Sign out everywhere else\?.*API keys are not touched/);
  await hasFocus(question(page).getByRole('button', { name: 'Cancel' }));
  await question(page).getByRole('button', { name: 'Sign out everywhere else' }).click();
  await isGone(question(page));
  await reads(toast(page), /Every other session is ended\./);
  await other.reload();
  await isAt(other, '/login?next=%2Fsettings%2Fapi');
  await page.reload();
  await reads(heading(page), /^Account$/);
});

test('signing out everywhere ends this browser, too', async (t) => {
  const page = await dashboard.open(t, '/settings/account?panel=end-all', {
    as: await dashboard.openSession(),
  });
  await question(page).getByRole('button', { name: 'Sign out everywhere' }).click();
  await isAt(page, '/login');
  await page.goto(`${dashboard.server.url}/settings/account`);
  await isAt(page, '/login?next=%2Fsettings%2Faccount');
});

const background = (page: Page) =>
  evaluate(page, z.string(), 'getComputedStyle(document.documentElement).backgroundColor');

/** Notes the theme at the first moment that something could be painted: when the body begins. */
const noteTheme = `new MutationObserver((_changes, observer) => {
  if (!document.body) return;
  observer.disconnect();
  window.themeAtBody = document.documentElement.dataset.theme ?? 'system';
}).observe(document, { childList: true, subtree: true })`;

test('a chosen theme stays over a reload, from before the first paint on, and reaches the login page', async (t) => {
  const person = await dashboard.openSession();
  const page = await dashboard.open(t, '/settings/account', { as: person, colorScheme: 'light' });
  await page.addInitScript(noteTheme);
  const light = await background(page);
  const choose = page.getByRole('main').getByRole('radio', { name: 'Dark' });
  await tabTo(page.getByRole('main').getByRole('radio', { name: 'System' }));
  await page.keyboard.press('ArrowLeft');
  assert.equal(await choose.isChecked(), true);
  const dark = await background(page);
  assert.notEqual(dark, light);
  for (const path of ['/settings/account', '/help/authentication', '/login']) {
    if (path === '/login') await page.context().clearCookies();
    await page.goto(dashboard.server.url + path);
    assert.equal(
      await evaluate(page, z.string(), 'window.themeAtBody'),
      'dark',
      `${path} before its first paint`,
    );
    assert.equal(await background(page), dark);
  }
});

test('the theme follows the device until one is chosen, in the account menu, too', async (t) => {
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
