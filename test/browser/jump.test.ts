/** The dialog that finds keys, pages and actions from everywhere. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { expectAccessible, waitUntilLoaded } from './accessibility.ts';
import { Dashboard, httpErrorMessage, networkErrorMessage } from './dashboard.ts';
import { evaluate, expectFocus, expectHidden, expectPath, expectText, readTexts, tabTo } from './expect.ts';
import {
  activeChoice,
  choices,
  expectChoices,
  jumpDialog,
  jumpInput,
  openJump,
  resultCount,
} from './jump-pages.ts';
import * as keys from './key-pages.ts';
import { serverError } from './server-error.ts';
import { expectToast } from './toasts.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

const { apiKey, key } = await ada.createKey({ name: 'Jump worker' });
const { key: retired } = await ada.createKey({ name: 'Jump worker, 2025' });
await ada.revoke(retired.id);

async function open(t: TestContext, path: string): Promise<Page> {
  const page = await dashboard.open(t, path);
  await waitUntilLoaded(page);
  return page;
}

const shortPreview = (preview: string) => preview.slice('sk_live_'.length);

test('Ctrl K opens the dialog on every kind of page, and Escape returns the focus', async (t) => {
  const page = await open(t, '/help/authentication');
  for (const [name, path] of [
    ['Overview', '/'],
    ['Settings', '/settings/account'],
    ['Help', '/help/api-key-management'],
    ['API reference', '/docs'],
  ] as const) {
    const link = page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name });
    await link.click();
    await expectPath(page, path);
    // The new page takes the focus.
    await expectFocus(keys.heading(page));
    await link.focus();
    await openJump(page);
    await expectFocus(jumpInput(page));
    await page.keyboard.press('Escape');
    await expectHidden(jumpDialog(page));
    await expectFocus(link);
    assert.equal(new URL(page.url()).pathname, path);
  }
});

test('Ctrl K also works while typing in a field, whose text stays', async (t) => {
  const page = await open(t, '/settings/account');
  const field = page.getByRole('textbox', { name: 'Your name' });
  await field.fill('Half a na');
  await openJump(page);
  await page.keyboard.type('audit');
  await page.keyboard.press('Escape');
  await expectFocus(field);
  assert.equal(await field.inputValue(), 'Half a na');
});

test('the field in the sidebar opens the dialog by keyboard and by click', async (t) => {
  const page = await open(t, '/help/authentication');
  const field = page.getByRole('button', { name: 'Jump to' });
  await tabTo(field);
  await page.keyboard.press('Enter');
  await expectFocus(jumpInput(page));
  await page.mouse.click(5, 5);
  await expectHidden(jumpDialog(page));
  await expectFocus(field);
  await field.click();
  await expectFocus(jumpInput(page));
});

test('a key is found by its name in any status, and Enter opens it', async (t) => {
  const page = await open(t, '/help/authentication');
  await openJump(page);
  await page.keyboard.type('jump WORK');
  await expectChoices(page, [
    `Jump worker, 2025 Revoked ${shortPreview(retired.preview)}`,
    `Jump worker ${shortPreview(key.preview)}`,
  ]);
  await expectText(resultCount(page), /^2 keys$/);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expectHidden(jumpDialog(page));
  await expectPath(page, `/settings/api/${key.id}`);
  await expectText(keys.heading(page), /^Jump worker$/);
  await expectFocus(keys.heading(page));
});

test('a key is found by its preview, its id and parts of them, and a click opens it', async (t) => {
  const page = await open(t, '/');
  for (const text of [key.preview, apiKey.slice(0, 11), key.id, key.id.slice(8)]) {
    await openJump(page);
    await page.keyboard.insertText(text);
    const found = choices(page).filter({ hasText: /^Jump worker[^,]*$/ });
    // Before that, the list offers the keys that were opened last.
    await expectText(resultCount(page), /^1 key\b/);
    await found.click();
    await expectPath(page, `/settings/api/${key.id}`);
    await page.goBack();
    await expectPath(page, '/');
  }
});

test('if more keys match than are shown, the last choice opens the list of all of them', async (t) => {
  for (let n = 1; n <= 9; n += 1) await ada.createKey({ name: `Jumping crowd ${n}` });
  const page = await open(t, '/');
  await openJump(page);
  await page.keyboard.type('jumping crowd');
  await expectText(resultCount(page), /^more than 8 keys$/);
  await expectText(choices(page).last(), /^Show all matching keys$/);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await expectPath(page, '/settings/api?q=jumping+crowd&status=all');
  await expectText(page.getByRole('status').filter({ hasText: 'keys' }).last(), /^9 keys$/);
});

test('the field is a combobox: the focus stays in it while the arrow keys move through the list', async (t) => {
  const page = await open(t, '/');
  await openJump(page);
  const input = jumpInput(page);
  assert.equal(await input.getAttribute('aria-expanded'), 'true');
  const list = await input.getAttribute('aria-controls');
  assert.equal(await jumpDialog(page).getByRole('listbox').getAttribute('id'), list);
  const names = await readTexts(choices(page));
  const first = names[0] ?? '';
  const active = async () => {
    const id = await input.getAttribute('aria-activedescendant');
    const [text = ''] = await readTexts(page.locator(`[id="${id}"][aria-selected="true"]`));
    assert.equal(await activeChoice(page).count(), 1);
    await expectFocus(input);
    return text;
  };
  assert.equal(await active(), first);
  await page.keyboard.press('ArrowUp');
  assert.equal(await active(), names.at(-1), 'it wraps around');
  const seen = await activeChoice(page).evaluate((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    const list = element.closest('.jump__list').getBoundingClientRect();
    return top >= list.top && bottom <= list.bottom;
  });
  assert.ok(seen, 'it is scrolled into view');
  await page.keyboard.press('ArrowDown');
  assert.equal(await active(), first);
  await page.keyboard.press('ArrowDown');
  assert.equal(await active(), names[1]);
  await page.keyboard.type('zzz no such thing');
  await jumpDialog(page).getByText('Nothing matches "zzz no such thing".').waitFor();
  await expectText(resultCount(page), /^No results$/);
  assert.equal(await input.getAttribute('aria-expanded'), 'false');
  assert.equal(await input.getAttribute('aria-activedescendant'), null);
});

test('Enter before the keys are found opens the first one as soon as it is found', async (t) => {
  const page = await open(t, '/');
  const held = Promise.withResolvers<void>();
  await page.route('**/v1/api-keys?**q=*', async (route) => {
    await held.promise;
    await route.continue();
  });
  await openJump(page);
  await page.keyboard.type(key.id);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  assert.equal(new URL(page.url()).pathname, '/');
  held.resolve();
  await expectPath(page, `/settings/api/${key.id}`);
});

test('if the search fails, the dialog shows the error, still offers actions, and can try again', async (t) => {
  const page = await dashboard.open(t, '/', { expected: [httpErrorMessage(500)] });
  await waitUntilLoaded(page);
  await page.route('**/v1/api-keys?**q=*', (route) => route.fulfill(serverError));
  await openJump(page);
  await page.keyboard.type('jump worker');
  await expectText(jumpDialog(page).getByRole('alert'), /Internal server error.*req_fromatest/);
  await expectAccessible(page);
  await page.unroute('**/v1/api-keys?**q=*');
  await jumpDialog(page).getByRole('button', { name: 'Try again' }).click();
  await expectText(activeChoice(page), /^Jump worker, 2025/);
  await expectHidden(jumpDialog(page).getByRole('alert').locator('.notice'));
  await expectFocus(jumpInput(page));
});

test('the dialog with recently opened keys, with results and without any has no axe violations', async (t) => {
  const page = await open(t, `/settings/api/${key.id}`);
  await openJump(page);
  for (const [text, announced] of [
    ['', /\d/],
    ['jump', /\d+ keys/],
    ['zzz no such thing', /^No results$/],
  ] as const) {
    await jumpInput(page).fill(text);
    await expectText(resultCount(page), announced);
    await expectAccessible(page);
  }
});

const actions: Array<[string, string, (page: Page) => Promise<unknown>]> = [
  ['generate', 'Generate New Key', (page) => expectFocus(keys.nameField(page))],
  ['audit', 'Audit log', (page) => expectPath(page, '/settings/audit')],
  ['accoun', 'Account', (page) => expectPath(page, '/settings/account')],
  ['revoked k', 'Revoked keys', (page) => expectPath(page, '/settings/api?status=revoked')],
  ['leaked', 'When a key has leaked', (page) => expectPath(page, '/help/api-key-management#leak')],
  ['429', 'Rate limits', (page) => expectPath(page, '/help/authentication#limits')],
  ['openapi', 'API reference', (page) => expectPath(page, '/docs')],
  ['shortcuts', 'Keyboard shortcuts', (page) => expectText(keys.dialog(page), /^Keyboard shortcuts/)],
];
test('actions and pages are found by their names and other words for them', async (t) => {
  const page = await open(t, '/');
  for (const [text, name, isDone] of actions) {
    await openJump(page);
    await page.keyboard.type(text);
    await choices(page).filter({ hasText: name }).first().click();
    await expectHidden(jumpDialog(page));
    await isDone(page);
    await page.keyboard.press('Escape');
    await expectHidden(keys.dialog(page));
  }
});

test('the theme is changed and the session is ended from the dialog', async (t) => {
  const page = await dashboard.open(t, `/settings/api/${key.id}`, { as: await dashboard.openSession() });
  await waitUntilLoaded(page);
  await openJump(page);
  await page.keyboard.type('dark');
  await expectText(activeChoice(page), /^Dark theme/);
  await expectText(resultCount(page), /action/);
  await page.keyboard.press('Enter');
  await expectToast(page, /^Dark theme is on\./);
  assert.equal(await evaluate(page, z.string(), 'document.documentElement.dataset.theme'), 'dark');
  await openJump(page);
  await page.keyboard.type('log out');
  await expectText(activeChoice(page), /^Sign out/);
  await expectText(resultCount(page), /action/);
  await page.keyboard.press('Enter');
  await expectPath(page, '/login');
});

test('a search after the session has ended asks for the password in place and keeps the form behind it', async (t) => {
  const person = await dashboard.openSession();
  const page = await dashboard.open(t, '/settings/account', {
    as: person,
    expected: [httpErrorMessage(401)],
  });
  await waitUntilLoaded(page);
  await page.getByRole('textbox', { name: 'Your name' }).fill('Not saved yet');
  await dashboard.database('DELETE FROM session WHERE token = ?', person.storedToken);
  await openJump(page);
  await page.keyboard.type('jump worker');
  const question = page.getByRole('dialog', { name: 'Your session has ended' });
  await question.waitFor();
  await page.keyboard.press('Escape');
  await expectHidden(question);
  await page.keyboard.press('Escape');
  await expectHidden(jumpDialog(page));
  assert.equal(await page.getByRole('textbox', { name: 'Your name' }).inputValue(), 'Not saved yet');
});

test('if the code of the dialog does not load, the page shows a message and keeps working', async (t) => {
  const page = await dashboard.open(t, '/', { alone: true, expected: [networkErrorMessage] });
  await waitUntilLoaded(page);
  await page.route('**/ShellDialog*', (route) => route.abort());
  await page.keyboard.press('Control+k');
  await expectToast(page, /^Part of this page did not load\./);
  await page.unroute('**/ShellDialog*');
  await page.reload();
  await waitUntilLoaded(page);
  await openJump(page);
});

test('on a phone, the dialog fills the screen and can be opened from the bar and from the menu', async (t) => {
  const page = await open(t, '/settings/api');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole('button', { name: 'Jump to' }).click();
  await expectFocus(jumpInput(page));
  const { x, y, width = 0, height } = (await jumpDialog(page).boundingBox()) ?? {};
  assert.deepEqual([x, y, height], [0, 0, 844]);
  assert.ok(width >= 370, 'all but the space of the scroll bar');
  await jumpDialog(page).getByRole('button', { name: 'Close' }).click();
  await expectHidden(jumpDialog(page));
  await page.getByRole('button', { name: /^Account menu/ }).click();
  await page.locator('.account-menu').getByRole('button', { name: 'Jump to' }).click();
  await expectFocus(jumpInput(page));
  await expectHidden(page.locator('.account-menu'));
  await page.keyboard.press('Escape');
  await expectFocus(page.getByRole('button', { name: /^Account menu/ }));
});
