/** Locators for the API key pages, by role and name. */
import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { expectHidden, expectMenuClosed, waitUntil } from './expect.ts';

const keyFormat = /^sk_live_[0-9A-Za-z]{32}$/;

export const heading = (page: Page) => page.getByRole('heading', { level: 1 });
export const generateButton = (page: Page) => page.getByRole('button', { name: 'Generate New Key' });
export const dialog = (page: Page) => page.getByRole('dialog');
export const alertDialog = (page: Page) => page.getByRole('alertdialog');
export const nameField = (page: Page) => dialog(page).getByRole('textbox', { name: 'Name' });
export const createButton = (page: Page) => dialog(page).getByRole('button', { name: 'Create', exact: true });
export const keyField = (page: Page) => page.getByRole('textbox', { name: 'API key', exact: true });
/** The button next to the key. The snippets have their own. */
export const copyButton = (page: Page) => page.getByRole('button', { name: 'Copy', exact: true });
export const doneButton = (page: Page) => page.getByRole('button', { name: 'Done', exact: true });
/** The snippet tabs with their copy button. */
const snippets = (page: Page) => page.locator('.code-tabs').first();
export const copySnippet = (page: Page) => snippets(page).getByRole('button', { name: /^Copy/ });
export const snippetStatus = (page: Page) => snippets(page).getByRole('status');
export const closeButton = (page: Page) => dialog(page).getByRole('button', { name: 'Close', exact: true });
export const toast = (page: Page) => page.locator('.toast');

/** Goes to another page as its links do, without loading the dashboard again. The caller waits for the page. */
export const visit = (page: Page, path: string) =>
  page.evaluate(`history.pushState(null, '', ${JSON.stringify(path)})`);

/** The row of the key with this name. */
export const row = (page: Page, name: string): Locator =>
  page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
export const rowNames = (page: Page) => page.locator('tbody').getByRole('link').allInnerTexts();
/** Waits until the list shows exactly these keys, in this order. */
export const expectRows = (page: Page, names: string[]) =>
  waitUntil(
    () => rowNames(page),
    (rows) => rows.join() === names.join(),
    `the list shows ${names.join()}`,
  );
/** The menu that is open. */
export const openMenu = (page: Page) => page.getByRole('menu', { includeHidden: true });
/** Opens the menu of the key's row. */
export const menuButton = (page: Page, name: string) =>
  page.getByRole('button', { name: `Actions for ${name}`, exact: true });
export const menuItem = (page: Page, name: string) => page.getByRole('menuitem', { name, exact: true });
export const revokeItem = (page: Page, name: string) => menuItem(page, `Revoke key ${name}`);
export const confirmRevoke = (page: Page, name: string) =>
  alertDialog(page).getByRole('button', { name: `Revoke "${name}"` });

export const checkBox = (page: Page, name: string) =>
  page.getByRole('checkbox', { name: `Select ${name}`, exact: true });
export const selectAll = (page: Page) => page.getByRole('checkbox', { name: 'Select all keys shown' });
/** The bar that is shown while keys are selected. */
export const bulkBar = (page: Page) => page.getByRole('region', { name: 'Selected keys' });

/** Chooses an action in the menu of the key's row, with the mouse. */
export async function choose(
  page: Page,
  action: 'Rotate' | 'Rename' | 'Disable' | 'Enable' | 'Revoke',
  name: string,
): Promise<void> {
  await menuButton(page, name).click();
  await menuItem(page, `${action} key ${name}`).click();
}

/** Checks that the menu of a row does not offer to revoke the key. */
export async function expectNotRevocable(page: Page, name: string): Promise<void> {
  await menuButton(page, name).click();
  await menuItem(page, `Rename key ${name}`).waitFor();
  assert.equal(await revokeItem(page, name).count(), 0);
  await page.keyboard.press('Escape');
  await expectMenuClosed(openMenu(page));
}

/** Creates a key with the mouse and returns it once it is shown. */
export async function generate(page: Page, name: string): Promise<string> {
  await generateButton(page).click();
  await nameField(page).fill(name);
  await createButton(page).click();
  return readShownKey(page);
}

/** The full key that the page shows. */
export async function readShownKey(page: Page): Promise<string> {
  await keyField(page).waitFor();
  const apiKey = await keyField(page).inputValue();
  assert.match(apiKey, keyFormat);
  return apiKey;
}

/** Copies the shown key and closes the dialog. */
export async function copyAndClose(page: Page): Promise<void> {
  await copyButton(page).click();
  await page.getByRole('button', { name: 'Copied', exact: true }).waitFor();
  await doneButton(page).click();
  await expectHidden(dialog(page));
}
