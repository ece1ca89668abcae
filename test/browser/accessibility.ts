/** What must hold of every page and every dialog, in both themes and on a small screen. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { evaluate, until } from './expect.ts';

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/**
 * Of what is in reach: behind a modal dialog nothing is.
 *
 * Every rule that axe has on by default (WCAG 2.0 to 2.2 A and AA, best practices), and one that it leaves off.
 */
const runAxe = (options: object) => `axe
  .run(Array.from(document.querySelectorAll('dialog[open]')).at(-1) ?? document, ${JSON.stringify({ ...options, resultTypes: ['violations'] })})
  .then(({ violations }) => violations.map(({ id, nodes }) => ({
    id,
    nodes: nodes.map(({ html, failureSummary }) => html.slice(0, 200) + ' ' + failureSummary),
  })))`;

const everyRule = runAxe({ rules: { 'target-size': { enabled: true } } });

const violationsSchema = z.array(z.object({ id: z.string(), nodes: z.array(z.string()) }));

/** Smallest screen that WCAG 2.2 1.4.10 (Reflow) names, in CSS px. */
const smallest = { width: 320, height: 640 };

const layoutSchema = z.object({ width: z.number(), scroll: z.number(), outside: z.array(z.string()) });

/** Elements of a dialog are measured one by one: a modal's overflow does not scroll the page. */
const readLayout = `({
  width: innerWidth,
  scroll: document.documentElement.scrollWidth,
  outside: Array.from(document.querySelectorAll('dialog[open], dialog[open] .dialog__panel, main'))
    .filter((element) => element.scrollWidth > element.clientWidth + 1)
    .map((element) => element.className),
})`;

/** Waits until nothing is loading any more. */
export async function settled(page: Page): Promise<void> {
  await page.getByRole('heading').first().waitFor();
  await until(
    () => evaluate(page, z.number(), `document.querySelectorAll('.skeleton, [aria-busy="true"]').length`),
    (loading) => loading === 0,
    'nothing is loading',
  );
  await page.evaluate('document.fonts.ready.then(() => undefined)');
}

/**
 * Checks the page as it stands, without loading it again: on a wide screen in the light theme, and on a small one in the
 * dark theme. A small screen shows all that a wide one does but for every second label of a chart and a chevron.
 */
export async function isAccessible(page: Page): Promise<void> {
  const size = page.viewportSize() ?? smallest;
  await page.evaluate(axe);
  await page.emulateMedia({ colorScheme: 'light' });
  assert.deepEqual(await evaluate(page, violationsSchema, everyRule), [], 'axe in the light theme');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize(smallest);
  const small = await evaluate(page, layoutSchema, readLayout);
  assert.ok(small.scroll <= small.width, `320 px: the page is ${small.scroll} px wide`);
  assert.deepEqual(small.outside, [], '320 px: nothing has to be scrolled sideways');
  assert.deepEqual(
    await evaluate(page, violationsSchema, everyRule),
    [],
    'axe on a small screen in the dark theme',
  );
  await page.setViewportSize(size);
  await hasNoMotion(page);
  await hasNoDisabledButton(page);
}

async function hasNoMotion(page: Page): Promise<void> {
  const running = await evaluate(
    page,
    z.array(z.string()),
    `document.getAnimations().filter(({ playState }) => playState === 'running').map(({ effect }) => effect.target.outerHTML.slice(0, 200))`,
  );
  assert.deepEqual(running, [], 'nothing moves when the person wants no motion');
}

/** A button that cannot be pressed and does not say why is a riddle: there is none. */
async function hasNoDisabledButton(page: Page): Promise<void> {
  const top = (await page.locator('dialog[open]').count()) > 0 ? page.locator('dialog[open]').last() : page;
  const disabled = top.locator('button:disabled, input:disabled, select:disabled, [aria-disabled="true"]');
  assert.equal(await disabled.count(), 0, 'no control is disabled');
}
