import type { Page } from 'playwright-core';
import { z } from 'zod';
import { evaluate, waitUntil } from './expect.ts';

/**
 * Records the text of each toast. A toast disappears after some seconds, and a test that waits for a turn of a busy
 * machine could miss it.
 */
export const recordToastsScript = `{
  window.toasts = [];
  let last = null;
  new MutationObserver(() => {
    const toast = document.querySelector('.toast');
    if (toast !== null && toast !== last) window.toasts.push(toast.innerText.trim().replaceAll(/\\s+/g, ' '));
    last = toast;
  }).observe(document, { childList: true, subtree: true });
}`;

/** Waits until the page has shown a toast that matches, after the one that was waited for before. */
export async function expectToast(page: Page, pattern: RegExp): Promise<void> {
  const shown = await waitUntil(
    () => evaluate(page, z.array(z.string()), 'window.toasts'),
    (all) => all.some((text) => pattern.test(text)),
    `a toast reads ${pattern}`,
  );
  await page.evaluate(`window.toasts.splice(0, ${shown.findIndex((text) => pattern.test(text)) + 1})`);
}
