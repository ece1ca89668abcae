/** Accessibility checks for every page and dialog, in both themes and on a small screen. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { evaluate, waitUntil } from './expect.ts';

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** All rules that axe enables by default (WCAG 2.0 to 2.2 A and AA, best practices), and one that it disables. */
const everyRule = { rules: { 'target-size': { enabled: true } } };

/** The rules whose result depends on the colors of a theme or on the size of the screen. */
const lookRules = {
  runOnly: ['color-contrast', 'link-in-text-block', 'scrollable-region-focusable', 'target-size'],
};

/**
 * The articles around no part of `root` in which everything looks as in an earlier one: the same elements with the same
 * attributes that style sheets may select, below the same ancestors. No color depends on the order of elements.
 */
const findAlike = `(root) => {
  const looks = new Map();
  const lookOf = (element) => {
    if (element === null) return '';
    let look = looks.get(element);
    if (look === undefined) {
      const styling = Array.from(element.attributes).filter(({ name }) => /^(class|style|role|type|open|disabled|hidden|readonly|data-.*|aria-(?!label|describedby|controls).*)$/.test(name));
      look = [lookOf(element.parentElement), element.localName, ...styling.map(({ name, value }) => name + '=' + value)].join(' ');
      looks.set(element, look);
    }
    return look;
  };
  const seen = new Set();
  return Array.from(document.querySelectorAll('article:not(:has(article))')).filter((article) => {
    const before = seen.size;
    for (const element of [article, ...article.querySelectorAll('*')]) seen.add(lookOf(element));
    return seen.size === before && !article.contains(root);
  });
}`;

/** The top dialog if one is open, because nothing behind a modal dialog can be reached. */
const rootOf = (within: string) =>
  `(Array.from(document.querySelectorAll('dialog[open]')).at(-1) ?? document.querySelector(${JSON.stringify(within)}))`;

const runAxe = (within: string, options: object) => `axe
  .run(${rootOf(within)}, ${JSON.stringify({ ...options, resultTypes: ['violations'] })})
  .then(({ violations }) => violations.map(({ id, nodes }) => ({
    id,
    nodes: nodes.map(({ html, failureSummary }) => html.slice(0, 200) + ' ' + failureSummary),
  })))`;

/** Takes the other articles out of the page meanwhile, because axe spends most of its time on collecting all elements. */
const checkEachLook = (within: string) => `(async () => {
  const repeated = (${findAlike})(${rootOf(within)}).map((article) => ({ article, place: document.createComment('') }));
  for (const { article, place } of repeated) article.replaceWith(place);
  try {
    return await ${runAxe(within, lookRules)};
  } finally {
    for (const { article, place } of repeated) place.replaceWith(article);
  }
})()`;

const violationsSchema = z.array(z.object({ id: z.string(), nodes: z.array(z.string()) }));

/** The smallest screen according to WCAG 2.2 1.4.10 (Reflow), in CSS px. */
const smallest = { width: 320, height: 640 };

const layoutSchema = z.object({ width: z.number(), scroll: z.number(), outside: z.array(z.string()) });

/** Dialog elements are measured individually, because the overflow of a modal dialog does not scroll the page. */
const readLayout = `({
  width: innerWidth,
  scroll: document.documentElement.scrollWidth,
  outside: Array.from(document.querySelectorAll('dialog[open], dialog[open] .dialog__panel, main'))
    .filter((element) => element.scrollWidth > element.clientWidth + 1)
    .map((element) => element.className),
})`;

/** Waits until nothing is loading, including the session: until then, the sidebar is empty and there are no shortcuts. */
export async function waitUntilLoaded(page: Page): Promise<void> {
  await page.getByRole('heading').first().waitFor();
  await waitUntil(
    () =>
      evaluate(
        page,
        z.number(),
        `document.querySelectorAll('.skeleton, [aria-busy="true"], .shell__nav ul:empty').length`,
      ),
    (loading) => loading === 0,
    'nothing is loading',
  );
  await page.evaluate('document.fonts.ready.then(() => undefined)');
}

/** As a script of its own, which Chromium compiles only once in a process. It compiles the text of an eval each time. */
async function load(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe });
  await session.detach();
}

/** Runs axe on the page in its current state, theme and size. */
async function hasNoViolations(page: Page, where: string, run: string): Promise<void> {
  // Only once after each load of the page, because compiling axe takes about as long as running it.
  if (!(await evaluate(page, z.boolean(), `'axe' in window`))) await load(page);
  assert.deepEqual(await evaluate(page, violationsSchema, run), [], `axe ${where}`);
}

/**
 * Checks the page in its current state, without reloading it: on a wide screen in the light theme and on a small screen in
 * the dark theme. All rules run on the small one, and on the wide one those that depend on the look, on each look once. A
 * small screen shows most of what a wide one does, but not parts of the sidebar, the contents beside a text, and the heads
 * and some columns of tables: there, `wide` is needed.
 *
 * @param options.within selector of the part that axe checks, if another test checks the rest of a long page
 * @param options.wide whether all rules also run on the wide screen, for what only that shows
 * @param options.state named if a check fails
 */
export async function expectAccessible(
  page: Page,
  {
    within = ':root',
    wide = false,
    state = 'the page',
  }: { within?: string; wide?: boolean; state?: string } = {},
): Promise<void> {
  const size = page.viewportSize() ?? smallest;
  await page.emulateMedia({ colorScheme: 'light' });
  const inLight = wide ? runAxe(within, everyRule) : checkEachLook(within);
  await hasNoViolations(page, `${state} in the light theme`, inLight);
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize(smallest);
  const small = await evaluate(page, layoutSchema, readLayout);
  assert.ok(small.scroll <= small.width, `${state} at 320 px is ${small.scroll} px wide`);
  assert.deepEqual(small.outside, [], `${state} at 320 px: nothing has to be scrolled sideways`);
  await hasNoViolations(page, `${state} on a small screen in the dark theme`, runAxe(within, everyRule));
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
  assert.deepEqual(running, [], 'nothing moves if reduced motion is preferred');
}

/** The dashboard has no disabled controls, because they do not say why they are disabled. */
async function hasNoDisabledButton(page: Page): Promise<void> {
  const top = (await page.locator('dialog[open]').count()) > 0 ? page.locator('dialog[open]').last() : page;
  const disabled = top.locator('button:disabled, input:disabled, select:disabled, [aria-disabled="true"]');
  assert.equal(await disabled.count(), 0, 'no control is disabled');
}
