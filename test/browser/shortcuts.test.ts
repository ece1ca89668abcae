/** Keyboard shortcuts of a single key (WCAG 2.1.4), and the setting that turns them off. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { expectAccessible, waitUntilLoaded } from './accessibility.ts';
import { Dashboard } from './dashboard.ts';
import { expectFocus, expectHidden, expectPath, expectText, readTexts, tabTo } from './expect.ts';
import { jumpDialog, jumpInput, openJump } from './jump-pages.ts';
import * as keys from './key-pages.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { key } = await dashboard.ada.createKey({ name: 'With shortcuts' });

async function open(t: TestContext, path: string): Promise<Page> {
  const page = await dashboard.open(t, path);
  await waitUntilLoaded(page);
  return page;
}

const help = (page: Page) => page.getByRole('dialog', { name: 'Keyboard shortcuts' });
const search = (page: Page) => page.getByRole('searchbox', { name: 'Search keys' });
const setting = (page: Page) => page.getByRole('checkbox', { name: /^Single-key shortcuts/ });

test('N opens the form for a new key from every kind of page', async (t) => {
  const page = await open(t, '/settings/api');
  for (const [path, title] of [
    ['/settings/api', 'API keys'],
    ['/settings/api?status=all', 'API keys'],
    [`/settings/api/${key.id}`, 'With shortcuts'],
    ['/docs', 'API reference'],
    ['/', 'Overview'],
  ] as const) {
    await keys.visit(page, path);
    await expectPath(page, path);
    await expectText(keys.heading(page), new RegExp(`^${title}$`));
    await page.keyboard.press('n');
    await expectFocus(keys.nameField(page));
    assert.equal(await keys.nameField(page).inputValue(), '', 'the letter is not typed into the form');
    await page.keyboard.press('Escape');
    await expectHidden(keys.dialog(page));
    await expectText(keys.heading(page), /^API keys$/);
  }
});

test('/ selects the search of the list, and on other pages opens the jump dialog', async (t) => {
  const page = await open(t, '/settings/api?q=with+short');
  await page.keyboard.press('/');
  await expectFocus(search(page));
  await page.keyboard.type('shortcuts');
  assert.equal(await search(page).inputValue(), 'shortcuts');
  await page.goto(`${dashboard.server.url}/help/authentication`);
  await waitUntilLoaded(page);
  await page.keyboard.press('/');
  await expectFocus(jumpInput(page));
  assert.equal(await jumpInput(page).inputValue(), '');
});

test('? lists the shortcuts, from every page and from the account menu', async (t) => {
  const page = await open(t, '/docs');
  await page.keyboard.press('?');
  await help(page).waitFor();
  assert.deepEqual(await readTexts(help(page).getByRole('term')), [
    'Jump to a key, page or action',
    'Generate New Key',
    'Search keys',
    'Show these shortcuts',
    'Close a dialog',
  ]);
  await page.keyboard.press('Escape');
  await expectHidden(help(page));
  await page.getByRole('button', { name: /^Account menu/ }).click();
  await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
  await help(page).waitFor();
  await page.keyboard.press('Escape');
  await expectFocus(page.getByRole('button', { name: /^Account menu/ }));
  await page.keyboard.press('?');
  await help(page)
    .getByRole('link', { name: /^Turn them off/ })
    .click();
  await expectHidden(help(page));
  await expectPath(page, '/settings/account');
  await expectFocus(keys.heading(page));
  await page.keyboard.press('?');
  await help(page).waitFor();
  // Here instead of above the reference, whose size would multiply the time that axe takes.
  await expectAccessible(page);
});

test('shortcuts do nothing while typing, with a modifier, in a dialog or with a menu open', async (t) => {
  const page = await open(t, '/settings/account');
  const name = page.getByRole('textbox', { name: 'Your name' });
  await name.fill('');
  await name.press('n');
  await name.press('?');
  await name.press('/');
  assert.equal(await name.inputValue(), 'n?/');
  await keys.heading(page).focus();
  for (const chord of ['Alt+n', 'Control+/', 'Meta+/', 'Shift+N', 'Control+Shift+?'])
    await page.keyboard.press(chord);
  await page.getByRole('button', { name: /^Account menu/ }).click();
  await page.keyboard.press('n');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Change password' }).click();
  await keys.dialog(page).waitFor();
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('n');
  await page.keyboard.press('Control+k');
  assert.equal(await page.getByRole('dialog').count(), 1);
  await page.keyboard.press('Escape');
  await expectHidden(keys.dialog(page));
  await expectPath(page, '/settings/account');
});

test('a visitor without a session has no shortcuts', async (t) => {
  const page = await dashboard.open(t, '/help/authentication', { as: null });
  await waitUntilLoaded(page);
  for (const key of ['n', '/', '?', 'Control+k']) await page.keyboard.press(key);
  assert.equal(await page.getByRole('dialog').count(), 0);
  assert.equal(await page.getByRole('button', { name: 'Jump to' }).count(), 0);
  await expectPath(page, '/help/authentication');
});

test('shortcuts can be turned off for this browser with the keyboard; Ctrl K still works', async (t) => {
  const page = await open(t, '/settings/account');
  await tabTo(setting(page));
  await page.keyboard.press('Space');
  assert.equal(await setting(page).isChecked(), false);
  await page.keyboard.press('?');
  await page.goto(`${dashboard.server.url}/settings/api`);
  await waitUntilLoaded(page);
  await page.keyboard.press('n');
  await page.keyboard.press('/');
  await page.keyboard.press('?');
  assert.equal(await page.getByRole('dialog').count(), 0);
  await expectPath(page, '/settings/api');
  assert.equal(await page.locator('main [aria-keyshortcuts], main kbd').count(), 0, 'no hint is left');
  await openJump(page);
  await page.keyboard.press('Escape');
  await expectHidden(jumpDialog(page));
  await page.goto(`${dashboard.server.url}/settings/account`);
  await page.getByRole('button', { name: 'Show shortcuts' }).click();
  await expectText(help(page), /Single-key shortcuts are turned off\. Turn them on in Settings, Account/);
  assert.deepEqual(await readTexts(help(page).getByRole('term')), [
    'Jump to a key, page or action',
    'Close a dialog',
  ]);
  await page.keyboard.press('Escape');
  await expectHidden(help(page));
  await setting(page).click();
  await keys.heading(page).focus();
  await page.keyboard.press('?');
  await help(page).waitFor();
});

test('the buttons show and announce their shortcuts, which are not part of their names', async (t) => {
  const page = await open(t, '/settings/api');
  const button = keys.generateButton(page);
  assert.equal(await button.getAttribute('aria-keyshortcuts'), 'n');
  assert.deepEqual(await readTexts(button), ['Generate New Key N']);
  assert.equal(await page.getByRole('button', { name: 'Generate New Key', exact: true }).count(), 1);
  await page.setViewportSize({ width: 390, height: 844 });
  assert.deepEqual(await readTexts(button), ['Generate New Key'], 'not on a phone');
});
