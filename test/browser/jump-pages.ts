/** Locators for the sidebar and the jump dialog. */
import type { Page } from 'playwright-core';

/** The dialog that finds keys, pages and actions. */
export const jump = (page: Page) => page.getByRole('dialog', { name: 'Jump to' });
export const jumpInput = (page: Page) => jump(page).getByRole('combobox');
export const choices = (page: Page) => jump(page).getByRole('option');
/** The choice that Enter picks. */
export const activeChoice = (page: Page) => jump(page).getByRole('option', { selected: true });
/** What screen readers hear about the results. */
export const count = (page: Page) => jump(page).getByRole('status').nth(1);

export async function openJump(page: Page): Promise<void> {
  // The page has shortcuts once it knows who has signed in.
  await page.getByRole('button', { name: /^Account menu/ }).waitFor();
  await page.keyboard.press('Control+k');
  await jumpInput(page).waitFor();
}

export const recent = (page: Page) => page.getByRole('navigation', { name: 'Recently opened' });
export const recentLinks = (page: Page) => recent(page).getByRole('link');
