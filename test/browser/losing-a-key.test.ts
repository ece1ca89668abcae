/** A key that is not copied is lost permanently, so closing the dialog asks for confirmation until it is copied. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Dialog, Page } from 'playwright-core';
import { Dashboard } from './dashboard.ts';
import { expectFocus, expectHidden, expectPath, expectText } from './expect.ts';
import * as keys from './key-pages.ts';

const dashboard = await Dashboard.inNewWorkspace();

const stay = (page: Page) => keys.alertDialog(page).getByRole('button', { name: 'Back to the key' });
const leaveAnyway = (page: Page) =>
  keys.alertDialog(page).getByRole('button', { name: 'Close without copying' });

const waysOut = [
  ['Escape', (page: Page) => page.keyboard.press('Escape')],
  ['a click outside', (page: Page) => page.mouse.click(5, 5)],
  ['the X', (page: Page) => keys.closeButton(page).click()],
  ['Done', (page: Page) => keys.doneButton(page).click()],
  ['the Back button', (page: Page) => page.evaluate('history.back()')],
] satisfies Array<[string, (page: Page) => Promise<unknown>]>;

async function openWithKey(t: TestContext, name: string): Promise<{ page: Page; apiKey: string }> {
  const page = await dashboard.open(t, '/settings/api');
  return { page, apiKey: await keys.generate(page, name) };
}

test('closing the dialog, in one page load', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  for (const [way, leave] of waysOut) {
    await t.test(
      `before copying, ${way} asks for confirmation: staying keeps the key, closing loses it; after copying, it closes the dialog`,
      () => asksOnlyBeforeCopying(page, way, leave),
    );
  }
});

async function asksOnlyBeforeCopying(page: Page, way: string, leave: (page: Page) => Promise<unknown>) {
  const apiKey = await keys.generate(page, `Kept from ${way}`);
  for (let round = 1; round <= 2; round += 1) {
    await leave(page);
    await expectText(keys.alertDialog(page), /Close without copying\?.*will not be shown again/);
    await expectFocus(stay(page));
    await stay(page).click();
    await expectHidden(keys.alertDialog(page));
    assert.equal(await keys.readShownKey(page), apiKey, `the key is still there after round ${round}`);
  }
  await keys.copyButton(page).click();
  await page.getByRole('button', { name: 'Copied', exact: true }).waitFor();
  await leave(page);
  await expectHidden(keys.dialog(page));
  assert.equal(await keys.alertDialog(page).count(), 0);
  await expectPath(page, '/settings/api');

  const lost = await keys.generate(page, `Lost by ${way}`);
  await leave(page);
  await leaveAnyway(page).click();
  await expectHidden(keys.dialog(page));
  await expectHidden(keys.alertDialog(page));
  await expectPath(page, '/settings/api');
  assert.ok(!(await page.content()).includes(lost));
  await keys.row(page, `Lost by ${way}`).waitFor();
  await expectFocus(keys.generateButton(page));
}

test('pressing Escape repeatedly never closes the dialog', async (t) => {
  const { page, apiKey } = await openWithKey(t, 'Escape again and again');
  for (let presses = 0; presses < 7; presses += 1) await page.keyboard.press('Escape');
  await expectText(keys.alertDialog(page), /Close without copying/);
  await page.keyboard.press('Escape');
  await expectHidden(keys.alertDialog(page));
  assert.equal(await keys.readShownKey(page), apiKey);
});

test('going back several pages at once also asks for confirmation', async (t) => {
  const page = await dashboard.open(t, '/');
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'API' }).click();
  const apiKey = await keys.generate(page, 'Several pages back');
  await page.evaluate('history.go(-3)');
  await stay(page).click();
  assert.equal(await keys.readShownKey(page), apiKey);
  await expectPath(page, '/settings/api?panel=generate');
});

test('dragging a selection out of the dialog is not a click outside', async (t) => {
  const { page, apiKey } = await openWithKey(t, 'Dragged');
  const box = await keys.keyField(page).boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + 20, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(5, 5, { steps: 3 });
  await page.mouse.up();
  assert.equal(await keys.readShownKey(page), apiKey);
  assert.equal(await keys.alertDialog(page).count(), 0);
});

/** Starts an unload and returns the browser's own confirmation dialog. */
async function unload(page: Page, begin: () => Promise<unknown>): Promise<Dialog> {
  const [confirmation] = await Promise.all([page.waitForEvent('dialog'), begin()]);
  assert.equal(confirmation.type(), 'beforeunload');
  return confirmation;
}

const reload = (page: Page) => () => page.evaluate('setTimeout(() => location.reload())');
const close = (page: Page) => () => page.close({ runBeforeUnload: true });

for (const [way, begin] of [
  ['reloading', reload],
  ['closing the tab', close],
] satisfies Array<[string, (page: Page) => () => Promise<unknown>]>) {
  test(`before copying, ${way} makes the browser ask for confirmation, and staying keeps the key`, async (t) => {
    const { page, apiKey } = await openWithKey(t, `Kept from ${way}`);
    const first = await unload(page, begin(page));
    await first.dismiss();
    assert.equal(await keys.readShownKey(page), apiKey);
    const second = await unload(page, begin(page));
    await second.dismiss();
    assert.equal(await keys.readShownKey(page), apiKey);
  });
}

test('before copying, a confirmed reload leaves a page without the key', async (t) => {
  const { page, apiKey } = await openWithKey(t, 'Reloaded after all');
  const confirmation = await unload(page, reload(page));
  await Promise.all([page.waitForEvent('load'), confirmation.accept()]);
  await keys.row(page, 'Reloaded after all').waitFor();
  assert.ok(!(await page.content()).includes(apiKey));
});

test('after copying, reloading and closing the tab need no confirmation', async (t) => {
  const { page } = await openWithKey(t, 'Copied before reloading');
  await keys.copyButton(page).click();
  await page.getByRole('button', { name: 'Copied', exact: true }).waitFor();
  const confirmations: Dialog[] = [];
  page.on('dialog', (confirmation) => confirmations.push(confirmation));
  await page.reload();
  await keys.row(page, 'Copied before reloading').waitFor();
  await Promise.all([page.waitForEvent('close'), page.close({ runBeforeUnload: true })]);
  assert.deepEqual(confirmations, []);
});

test('signing out in another tab does not hide a key that was not copied', async (t) => {
  const page = await dashboard.open(t, '/settings/api', {
    as: await dashboard.openSession(),
    expected: [/status of 401/],
  });
  const apiKey = await keys.generate(page, 'Signed out elsewhere');
  const other = await page.context().newPage();
  await other.goto(`${dashboard.server.url}/settings/account`);
  await other.getByRole('button', { name: /ada/i }).first().click();
  await other.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expectPath(other, '/login');
  await stay(page).click();
  assert.equal(await keys.readShownKey(page), apiKey);
});

test('while the key is being created, nothing closes the dialog', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  const held = Promise.withResolvers<void>();
  await page.route('**/v1/api-keys', async (route) => {
    await held.promise;
    await route.continue();
  });
  await keys.generateButton(page).click();
  await keys.nameField(page).fill('Slow');
  await keys.createButton(page).click();
  await page.keyboard.press('Escape');
  await page.mouse.click(5, 5);
  await keys.closeButton(page).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  const dismissed = await unload(page, reload(page));
  await dismissed.dismiss();
  await page.evaluate(`new Promise((resolve) => {
    addEventListener('popstate', () => resolve(), { once: true });
    history.back();
  })`);
  held.resolve();
  await keys.readShownKey(page);
  assert.equal(await keys.alertDialog(page).count(), 0);
  // Text of the same dialog. If it had closed, another one would rescue the key.
  await expectText(keys.dialog(page), /Soku stores only its fingerprint/);
});
