/** Locators for the sidebar and the jump dialog. */
import type { Page } from 'playwright-core';
import { readTexts, waitUntil } from './expect.ts';

/** The dialog that finds keys, pages and actions. */
export const jumpDialog = (page: Page) => page.getByRole('dialog', { name: 'Jump to' });
export const jumpInput = (page: Page) => jumpDialog(page).getByRole('combobox');
export const choices = (page: Page) => jumpDialog(page).getByRole('option');
/** Waits until exactly these choices are shown, in this order. */
export const expectChoices = (page: Page, expected: string[]) =>
  waitUntil(
    () => readTexts(choices(page)),
    (found) => found.join() === expected.join(),
    `the choices are ${expected.join()}`,
  );
/** The choice that Enter picks. */
export const activeChoice = (page: Page) => jumpDialog(page).getByRole('option', { selected: true });
/** What screen readers hear about the results. */
export const resultCount = (page: Page) => jumpDialog(page).getByRole('status').nth(1);

export async function openJump(page: Page): Promise<void> {
  // The page has shortcuts once it knows who has signed in.
  await page.getByRole('button', { name: /^Account menu/ }).waitFor();
  await page.keyboard.press('Control+k');
  await jumpInput(page).waitFor();
}

export const recentKeys = (page: Page) => page.getByRole('navigation', { name: 'Recently opened' });
export const recentLinks = (page: Page) => recentKeys(page).getByRole('link');
