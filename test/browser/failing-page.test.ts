/** A new key is shown until it is copied, even if the page fails in the meantime. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { bearer, call } from '../support/person.ts';
import { Dashboard } from './dashboard.ts';
import { expectFocus, expectHidden, expectText, readClipboard } from './expect.ts';
import * as keys from './key-pages.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;
await ada.createKey({ name: 'There before' });

/** The errors that React and the router log if a node is not where React put it. */
const failures = [/NotFoundError/, /not a child of this node/];

const open = (t: TestContext) => dashboard.open(t, '/settings/api', { expected: failures });

/** Removes nodes without React knowing, as an extension may. The next change next to them throws. */
async function removeNodes(page: Page, selector: string): Promise<void> {
  const nodes = `[...document.querySelectorAll('${selector}')]`;
  assert.ok(await page.evaluate(`${nodes}.map((node) => node.remove()).length > 0`), selector);
}

async function isRescued(page: Page): Promise<string> {
  await expectText(keys.dialog(page), /The key was created, but part of this page failed/);
  return keys.readShownKey(page);
}

const worksWith = async (apiKey: string) =>
  (await call(`${dashboard.server.url}/v1/me`, { headers: bearer(apiKey) })).status === 200;

test('if the list fails when the new key is added to it, the key is still shown', async (t) => {
  const page = await open(t);
  await keys.generateButton(page).click();
  await keys.nameField(page).fill('Behind a broken list');
  await removeNodes(page, 'tbody tr');
  await keys.createButton(page).click();
  const apiKey = await isRescued(page);
  assert.ok(await worksWith(apiKey));
  await expectFocus(keys.copyButton(page));
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Copied', exact: true }).waitFor();
  assert.equal(await readClipboard(page), apiKey);
  await keys.doneButton(page).click();
  await expectHidden(keys.dialog(page));
  assert.ok(!(await page.content()).includes(apiKey));
  await expectText(keys.heading(page), /^This page could not be displayed$/);
  await page.reload();
  await keys.row(page, 'Behind a broken list').waitFor();
});

test('if the dialog that shows the key fails, the key stays visible, and closing still asks first', async (t) => {
  const page = await open(t);
  const apiKey = await keys.generate(page, 'In a broken dialog');
  await removeNodes(page, '.code-tabs__row .copy');
  await page.getByRole('tab', { name: 'curl' }).click();
  assert.equal(await isRescued(page), apiKey);
  await page.keyboard.press('Escape');
  await expectText(keys.alertDialog(page), /Close without copying\?/);
  await page.getByRole('button', { name: 'Back to the key' }).click();
  assert.equal(await keys.readShownKey(page), apiKey);
  await keys.doneButton(page).click();
  await page.getByRole('button', { name: 'Close without copying' }).click();
  await expectHidden(keys.dialog(page));
  assert.ok(!(await page.content()).includes(apiKey));
});

test('if the page fails while the key is being created, the key is shown once it is created', async (t) => {
  const page = await open(t);
  const held = Promise.withResolvers<void>();
  await page.route('**/v1/api-keys', async (route) => {
    await held.promise;
    await route.continue();
  });
  await keys.generateButton(page).click();
  await keys.nameField(page).fill('On its way');
  await keys.createButton(page).click();
  await removeNodes(page, 'tbody tr');
  await ada.createKey({ name: 'From elsewhere' });
  await page.evaluate("window.dispatchEvent(new Event('focus'))");
  await expectText(keys.heading(page), /^This page could not be displayed$/);
  held.resolve();
  assert.ok(await worksWith(await isRescued(page)));
  await keys.copyAndClose(page);
});
