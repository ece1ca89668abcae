/** Waits for expected states of a page, and reports the actual state on a timeout. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { Locator, Page } from 'playwright-core';
import { z } from 'zod';
import { testTimeoutMs } from '../support/test-timeout.ts';

/** ms between two reads. Without a pause, they would take the CPU time that the page needs to change. */
const interval = 15;

/** Polls until the value satisfies the condition. */
export async function waitUntil<T>(
  read: () => Promise<T>,
  satisfies: (value: T) => boolean,
  what: string,
): Promise<T> {
  const deadline = performance.now() + testTimeoutMs;
  for (;;) {
    const value = await read();
    if (satisfies(value)) return value;
    assert.ok(performance.now() < deadline, `${what}, not ${JSON.stringify(value)}`);
    await pause(interval);
  }
}

/** Evaluates an expression in the page. It is a string because the types of the tests do not include the DOM. */
export async function evaluate<Schema extends z.ZodType>(
  page: Page,
  schema: Schema,
  expression: string,
): Promise<z.infer<Schema>> {
  return schema.parse(await page.evaluate(expression));
}

/** Waits until the element has the focus. */
export async function expectFocus(locator: Locator): Promise<void> {
  await locator.waitFor();
  await waitUntil(
    async () => focusSchema.parse(await locator.evaluate(readFocus)),
    ({ here }) => here,
    `the focus is on ${locator}`,
  );
}

const focusSchema = z.object({ here: z.boolean(), focused: z.string() });

// Runs in the page. The types of the tests do not include the DOM, so everything is accessed through the element.
const readFocus: Parameters<Locator['evaluate']>[0] = (element) => {
  const { activeElement } = element.ownerDocument;
  return { here: element === activeElement, focused: (activeElement?.outerHTML ?? '').slice(0, 200) };
};

/** Waits until the element has the focus, and checks that the focus is visible. */
export async function expectVisibleFocus(locator: Locator): Promise<void> {
  await expectFocus(locator);
  const seen = await locator.evaluate((element) => {
    const { outlineStyle, outlineWidth, boxShadow } =
      element.ownerDocument.defaultView.getComputedStyle(element);
    const outlined = outlineStyle !== 'none' && outlineWidth !== '0px';
    return element.matches(':focus-visible') && (outlined || boxShadow !== 'none');
  });
  assert.equal(seen, true, `the focus on ${locator} is visible`);
}

/** Waits until the element does not exist or is not visible. */
export async function expectHidden(locator: Locator): Promise<void> {
  await locator.waitFor({ state: 'hidden' });
}

/**
 * Waits until an open menu is closed for the page as well. The browser hides it first, and until the page has heard of
 * that, a press of the button would close it again instead of opening it.
 */
export async function expectMenuClosed(menu: Locator): Promise<void> {
  await menu.waitFor({ state: 'detached' });
}

/** Waits for the path, query and hash of the page. */
export async function expectPath(page: Page, place: string): Promise<void> {
  const placeOf = (url: URL) => url.href.slice(url.origin.length);
  try {
    await page.waitForURL((url) => placeOf(url) === place, { timeout: testTimeoutMs, waitUntil: 'commit' });
  } catch {
    assert.equal(placeOf(new URL(page.url())), place, 'the address of the page');
  }
}

/** The visible texts of the elements that a locator finds, with normalized white space. */
export async function readTexts(locator: Locator): Promise<string[]> {
  const all = await locator.allInnerTexts();
  return all.map((text) => text.trim().replaceAll(/\s+/g, ' '));
}

/** Waits until the text of an element, in one line, matches. */
export async function expectText(locator: Locator, pattern: RegExp): Promise<void> {
  await waitUntil(
    async () => (await readTexts(locator)).join(' | '),
    (text) => pattern.test(text),
    `${locator} reads ${pattern}`,
  );
}

/** The text that an element references with aria-describedby. */
export async function readDescription(locator: Locator): Promise<string> {
  const ids = ((await locator.getAttribute('aria-describedby')) ?? '').split(' ').filter(Boolean);
  const page = locator.page();
  const described = await Promise.all(ids.map((id) => readTexts(page.locator(`[id="${id}"]`))));
  return described.flat().join(' ');
}

/** Presses Tab (or Shift+Tab) until the element has the focus, like a keyboard user. */
export async function tabTo(locator: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await locator.waitFor();
  for (let steps = 0; steps < 60; steps += 1) {
    if (focusSchema.parse(await locator.evaluate(readFocus)).here) return expectVisibleFocus(locator);
    await locator.page().keyboard.press(key);
  }
  assert.fail(`${locator} was not reached with ${key}`);
}

export async function readClipboard(page: Page): Promise<string> {
  return evaluate(page, z.string(), 'navigator.clipboard.readText()');
}
