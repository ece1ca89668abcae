/** Nothing moves while a page loads with an empty cache: its fonts are preloaded, and placeholders are as large as data. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { settled } from './accessibility.ts';
import { Dashboard } from './dashboard.ts';
import { evaluate } from './expect.ts';
import { heading } from './key-pages.ts';
import { recordHours, recordLastUse } from './recorded-usage.ts';

const dashboard = await Dashboard.start();
const empty = await Dashboard.start();
const large = await Dashboard.start();
after(async () => {
  for (const each of [empty, large, dashboard]) await each.stop();
});

for (let n = 0; n < 110; n += 1) await large.ada.createKey({ name: `Key ${n}` });
let keyId = '';

for (const name of [
  'Production Server',
  'Staging',
  'CI/CD Pipeline',
  'Invoice renderer',
  'Zapier',
  'Terraform',
]) {
  const { key } = await dashboard.ada.createKey({ name });
  keyId = key.id;
  await recordHours(dashboard, key.id, [
    { hoursAgo: 0, accepted: 81_234, refused: 700 },
    { hoursAgo: 24, accepted: 60_000 },
  ]);
  await recordLastUse(dashboard, key.id, { at: Date.now() });
}

/**
 * Observes all shifts from the start, including those that the browser attributes to an input: the emulation of a phone
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

const cases: Case[] = [
  { what: 'the login page', path: '/login', signedOut: true },
  { what: 'the overview', path: '/' },
  { what: 'the overview without keys', path: '/', on: empty },
  { what: 'the list of keys', path: '/settings/api' },
  { what: 'the list without keys', path: '/settings/api', on: empty },
  { what: 'a list of more than 99 keys', path: '/settings/api', on: large },
  { what: 'the page of a key', path: `/settings/api/${keyId}` },
  { what: 'the access of a key', path: `/settings/api/${keyId}?tab=access` },
  { what: 'the activity of a key', path: `/settings/api/${keyId}?tab=activity` },
  { what: 'the account', path: '/settings/account' },
  { what: 'the audit log', path: '/settings/audit' },
  { what: 'the help on keys', path: '/help/api-key-management' },
  { what: 'the help on protecting an API', path: '/help/protect-an-api' },
  { what: 'the troubleshooting page', path: '/help/api-troubleshooting' },
  { what: 'the reference', path: '/docs' },
];

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const screens = { 'a desktop': {}, 'a phone': phone };

for (const [screen, context] of Object.entries(screens)) {
  for (const { what, path, on = dashboard, signedOut = false } of cases) {
    test(`nothing moves while ${what} loads on ${screen}`, async (t) => {
      const page = await on.open(t, '/healthz', {
        ...context,
        // A new context has an empty cache.
        alone: true,
        ...(signedOut ? { as: null } : {}),
      });
      await page.addInitScript(observe);
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      await page.route('**/v1/**', async (route) => {
        await held;
        await route.continue();
      });
      await page.goto(on.server.url + path);
      await heading(page).waitFor();
      // Then the placeholders are painted before the data arrives.
      await page.evaluate('document.fonts.ready.then(() => undefined)');
      await shiftsOf(page);
      release();
      await settled(page);
      assert.deepEqual(await shiftsOf(page), []);
    });
  }
}
