/** What gets the focus with Tab or Shift+Tab is never below a bar (WCAG 2.2, 2.4.11 and 2.4.12). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { waitUntilLoaded } from './accessibility.ts';
import { Dashboard } from './dashboard.ts';
import { evaluate } from './expect.ts';

const dashboard = await Dashboard.shared();
const { ada } = dashboard;
const { key } = await ada.createKey({ name: 'Under a bar' });
for (let n = 0; n < 12; n += 1) await ada.createKey({ name: `Under a bar ${n}` });

const steps = 45;
/** The bit of Shift in CDP's `modifiers`. */
const shift = 8;

/**
 * Records with each released key the focused element, if one of the bars that stay in place while the page scrolls is
 * above its top, middle or bottom; otherwise nothing. Asking the page after each key would take longer than the keys.
 */
const recordCovered = `window.covered = [];
addEventListener('keyup', ({ key }) => {
  if (key !== 'Tab') return;
  const focused = document.activeElement;
  const { top, bottom, left, right, height } = focused.getBoundingClientRect();
  const points = [top + 2, (top + bottom) / 2, bottom - 2].map((y) => document.elementFromPoint((left + right) / 2, y));
  const bars = points.map((element) => element?.closest('.shell__bar, .shell__nav, thead'));
  const isHigh = height > innerHeight / 2;
  window.covered.push(!isHigh && bars.some((bar) => bar && !bar.contains(focused)) ? focused.outerHTML.slice(0, 120) : '');
}, true);`;

/** Sends all keys at once: waiting for each would take several times as long. The page still gets one after another. */
async function coveredWith(page: Page, key: 'Tab' | 'Shift+Tab'): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const tab = { key: 'Tab', code: 'Tab', windowsVirtualKeyCode: 9, modifiers: key === 'Tab' ? 0 : shift };
  await Promise.all(
    Array.from({ length: steps }, () => [
      session.send('Input.dispatchKeyEvent', { ...tab, type: 'rawKeyDown' }),
      session.send('Input.dispatchKeyEvent', { ...tab, type: 'keyUp' }),
    ]).flat(),
  );
  await session.detach();
  const covered = await evaluate(page, z.array(z.string()), 'window.covered.splice(0)');
  assert.equal(covered.length, steps, 'the page saw every key');
  return covered.filter((element) => element !== '');
}

for (const path of [
  '/',
  '/settings/account',
  '/settings/api?q=under',
  `/settings/api/${key.id}`,
  `/settings/api/${key.id}?tab=access`,
  '/settings/audit',
  '/help/api-key-management',
  '/help/api-troubleshooting',
  '/docs',
]) {
  test(`on ${path}, no bar covers the focus, forwards and backwards, on a wide screen and on a phone`, async (t) => {
    const page = await dashboard.open(t, path);
    await waitUntilLoaded(page);
    await page.evaluate(recordCovered);
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 600 });
      await page.evaluate('document.activeElement.blur(); scrollTo(0, 0)');
      assert.deepEqual(await coveredWith(page, 'Tab'), [], `forwards at ${width} px`);
      await page.evaluate('document.activeElement.blur(); scrollTo(0, document.body.scrollHeight)');
      assert.deepEqual(await coveredWith(page, 'Shift+Tab'), [], `backwards at ${width} px`);
    }
  });
}
