/** A row of the key list: a click opens the key, and a menu holds the other actions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { expectAccessible } from './accessibility.ts';
import { Dashboard } from './dashboard.ts';
import {
  evaluate,
  expectFocus,
  expectMenuClosed,
  expectPath,
  expectVisibleFocus,
  readClipboard,
  readTexts,
  tabTo,
} from './expect.ts';
import * as keys from './key-pages.ts';
import { expectToast } from './toasts.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;
const { key } = await ada.createKey({ name: 'Row first' });
await ada.createKey({ name: 'Row second' });
const { key: ended } = await ada.createKey({ name: 'Row ended' });
await ada.revoke(ended.id);

const path = '/settings/api?q=Row';
const menu = (page: Page, name: string) =>
  page.getByRole('menu', { name: `Actions for ${name}`, includeHidden: true });

test('a click anywhere in a row opens the key, except on the preview', async (t) => {
  const page = await dashboard.open(t, path);
  const cell = (index: number) => keys.row(page, 'Row first').getByRole('cell').nth(index);
  await cell(2).locator('code').click();
  await cell(5).click();
  await expectPath(page, `/settings/api/${key.id}`);
  await page.goBack();
  await expectPath(page, path);
  await cell(1).click({ position: { x: 4, y: 40 } });
  await expectPath(page, `/settings/api/${key.id}`);
});

test('text in a row can be selected, by dragging and by a double click on the preview', async (t) => {
  const page = await dashboard.open(t, path);
  const box = await keys.row(page, 'Row first').getByRole('cell').nth(3).boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 2, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  assert.notEqual(await evaluate(page, z.string(), 'getSelection().toString()'), '');
  await expectPath(page, path);
  await keys.row(page, 'Row first').locator('code').dblclick();
  assert.notEqual(await evaluate(page, z.string(), 'getSelection().toString()'), '');
  await expectPath(page, path);
});

test('a click with Ctrl opens the key in a new tab', async (t) => {
  const page = await dashboard.open(t, path);
  const opened = page.context().waitForEvent('page');
  await keys
    .row(page, 'Row first')
    .getByRole('cell')
    .nth(5)
    .click({ modifiers: ['ControlOrMeta'] });
  await expectPath(await opened, `/settings/api/${key.id}`);
  await expectPath(page, path);
});

test('a row has no control inside another, and its menu has the actions, Revoke last', async (t) => {
  const page = await dashboard.open(t, `${path}&status=all`);
  assert.equal(await page.locator('tr a a, tr a button, tr button a, tr button button').count(), 0);
  await keys.menuButton(page, 'Row first').click();
  await menu(page, 'Row first').waitFor();
  assert.deepEqual(await readTexts(menu(page, 'Row first').getByRole('menuitem')), [
    'Rotate key Row first',
    'Rename key Row first',
    'Copy key ID',
    'Disable key Row first',
    'Revoke key Row first',
  ]);
  assert.equal(await keys.menuButton(page, 'Row first').getAttribute('aria-expanded'), 'true');
  await keys.menuButton(page, 'Row second').click();
  await menu(page, 'Row second').waitFor();
  await expectMenuClosed(menu(page, 'Row first'));
  await keys.menuButton(page, 'Row second').click();
  await expectMenuClosed(menu(page, 'Row second'));
  await expectFocus(keys.menuButton(page, 'Row second'));
  await keys.menuButton(page, 'Row second').click();
  await keys.heading(page).click();
  await expectMenuClosed(menu(page, 'Row second'));
  await expectPath(page, `${path}&status=all`);
  await keys.expectNotRevocable(page, 'Row ended');
  await expectFocus(keys.menuButton(page, 'Row ended'));
});

test('the id of a key is copied from its menu, and the page confirms it', async (t) => {
  const page = await dashboard.open(t, path);
  await keys.menuButton(page, 'Row first').click();
  await keys.menuItem(page, 'Copy key ID').click();
  await expectToast(page, new RegExp(`^Copied ${key.id}\\.$`));
  assert.equal(await readClipboard(page), key.id);
  await expectFocus(keys.menuButton(page, 'Row first'));
});

test('the menu works with the keyboard alone, with visible focus', async (t) => {
  const page = await dashboard.open(t, path);
  const { keyboard } = page;
  const item = (name: string) => keys.menuItem(page, name);
  await tabTo(keys.menuButton(page, 'Row first'));
  for (const [press, name] of [
    ['Enter', 'Rotate key Row first'],
    ['ArrowDown', 'Rename key Row first'],
    ['ArrowDown', 'Copy key ID'],
    ['ArrowDown', 'Disable key Row first'],
    ['ArrowDown', 'Revoke key Row first'],
    ['ArrowDown', 'Rotate key Row first'],
    ['ArrowUp', 'Revoke key Row first'],
    ['Home', 'Rotate key Row first'],
    ['End', 'Revoke key Row first'],
    ['c', 'Copy key ID'],
  ] as const) {
    await keyboard.press(press);
    await expectVisibleFocus(item(name));
  }
  await keyboard.press('Escape');
  await expectMenuClosed(menu(page, 'Row first'));
  await expectVisibleFocus(keys.menuButton(page, 'Row first'));
  for (const [press, name] of [
    ['Space', 'Rotate key Row first'],
    ['ArrowUp', 'Revoke key Row first'],
    ['ArrowDown', 'Rotate key Row first'],
  ] as const) {
    await keyboard.press(press);
    await expectVisibleFocus(item(name));
    await keyboard.press('Escape');
    await expectMenuClosed(menu(page, 'Row first'));
  }
  await keyboard.press('Enter');
  await keyboard.press('Tab');
  await expectMenuClosed(menu(page, 'Row first'));
  await keyboard.press('Shift+Tab');
  await expectVisibleFocus(keys.menuButton(page, 'Row first'));
  await keyboard.press('Enter');
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await expectFocus(keys.nameField(page));
  await keyboard.press('Escape');
  await expectVisibleFocus(keys.menuButton(page, 'Row first'));
});

test('the open menu is accessible, inside the window, and a sheet on a phone', async (t) => {
  const page = await dashboard.open(t, path, { viewport: { width: 1280, height: 420 } });
  await keys.menuButton(page, 'Row first').click();
  await expectAccessible(page);
  const box = await menu(page, 'Row first').boundingBox();
  assert.ok(box && box.y >= 0 && box.y + box.height <= 420, JSON.stringify(box));
  await page.keyboard.press('Escape');
  await page.setViewportSize({ width: 390, height: 844 });
  await keys.menuButton(page, 'Row first').click();
  const sheet = await menu(page, 'Row first').boundingBox();
  assert.ok(
    sheet && sheet.x === 0 && sheet.width > 370 && Math.round(sheet.y + sheet.height) === 844,
    JSON.stringify(sheet),
  );
  const item = await keys.revokeItem(page, 'Row first').boundingBox();
  assert.ok(item && item.height >= 44, 'large enough for a finger');
});
