/** Nothing moves while a page loads with an empty cache: its fonts are preloaded, and placeholders are as large as data. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { addKeysNamed } from '../support/named-keys.ts';
import { waitUntilLoaded } from './accessibility.ts';
import { Dashboard } from './dashboard.ts';
import { evaluate } from './expect.ts';
import { heading } from './key-pages.ts';
import { recordHours, recordLastUse } from './recorded-usage.ts';

const dashboard = await Dashboard.inNewWorkspace();
const empty = await Dashboard.inNewWorkspace();
const large = await Dashboard.inNewWorkspace();

await addKeysNamed(
  large.ada,
  Array.from({ length: 110 }, (_, n) => `Key ${n}`),
);

for (const name of [
  'Production Server',
  'Staging',
  'CI/CD Pipeline',
  'Invoice renderer',
  'Zapier',
  'Terraform',
]) {
  const { key } = await dashboard.ada.createKey({ name });
  await recordHours(dashboard, key.id, [
    { hoursAgo: 0, accepted: 81_234, refused: 700 },
    { hoursAgo: 24, accepted: 60_000 },
  ]);
  await recordLastUse(dashboard, key.id, { at: Date.now() });
}

/**
 * Observes all shifts, also those before this call, including those that the browser attributes to an input: the emulation of a phone
 * counts as one, and the test makes none.
 */
const observe = `window.shifts = [];
new PerformanceObserver((list) => {
  for (const { value, sources } of list.getEntries()) {
    window.shifts.push({ value, moved: sources.map(({ node }) => (node?.outerHTML ?? 'removed').slice(0, 120)) });
  }
}).observe({ type: 'layout-shift', buffered: true });`;

const shiftsSchema = z.array(z.object({ value: z.number(), moved: z.array(z.string()) }));

/** The shifts so far. Two frames later, all entries of the current one have been delivered. */
async function shiftsOf(page: Page) {
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  return evaluate(page, shiftsSchema, 'window.shifts');
}

interface Case {
  what: string;
  path: string;
  on?: Dashboard;
  signedOut?: boolean;
}

/** Without the page of a key, which key-layout.test.ts loads with each order of its responses. */
const cases: Case[] = [
  { what: 'the login page', path: '/login', signedOut: true },
  { what: 'the overview', path: '/' },
  { what: 'the overview without keys', path: '/', on: empty },
  { what: 'the list of keys', path: '/settings/api' },
  { what: 'the list without keys', path: '/settings/api', on: empty },
  { what: 'a list of more than 99 keys', path: '/settings/api', on: large },
  { what: 'the account', path: '/settings/account' },
  { what: 'the audit log', path: '/settings/audit' },
  { what: 'the help on keys', path: '/help/api-key-management' },
  { what: 'the help on protecting an API', path: '/help/protect-an-api' },
  { what: 'the troubleshooting page', path: '/help/api-troubleshooting' },
  { what: 'the reference', path: '/docs' },
];

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const screens = { 'a desktop': {}, 'a phone': phone };

/** Opens a page whose API responds only after its placeholders were painted. */
async function hasNoShifts(page: Page, url: string): Promise<void> {
  const held = Promise.withResolvers<void>();
  // While a page has routes, Chromium does not use its cache.
  await page.route('**/v1/**', async (route) => {
    await held.promise;
    await route.continue();
  });
  await page.goto(url);
  await heading(page).waitFor();
  await page.evaluate(observe);
  await page.evaluate('document.fonts.ready.then(() => undefined)');
  await shiftsOf(page);
  held.resolve();
  await waitUntilLoaded(page);
  assert.deepEqual(await shiftsOf(page), []);
  const fromServer = await evaluate(page, z.array(z.boolean()), readFonts);
  assert.ok(fromServer.length > 0 && fromServer.every(Boolean), 'the fonts are not from a cache');
  await page.unrouteAll({ behavior: 'wait' });
}

/** For each font that was loaded, whether the server sent it. */
const readFonts = `performance.getEntriesByType('resource')
  .filter(({ name }) => name.endsWith('.woff2'))
  .map(({ transferSize }) => transferSize > 0)`;

for (const [screen, context] of Object.entries(screens)) {
  test(`nothing moves while a page loads on ${screen}`, async (t) => {
    const page = await dashboard.open(t, '/healthz', context);
    for (const { what, path, on = dashboard, signedOut = false } of cases) {
      await t.test(what, async () => {
        if (signedOut) await page.context().clearCookies();
        else await on.signInAs(page.context(), on.ada);
        await hasNoShifts(page, on.server.url + path);
      });
    }
  });
}
