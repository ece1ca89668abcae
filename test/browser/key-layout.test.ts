/** The page of a key while it is loading, on a wide and on a narrow screen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msPerDay } from '@soku/contract/instant';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { waitUntilLoaded } from './accessibility.ts';
import { Dashboard } from './dashboard.ts';
import { evaluate } from './expect.ts';
import { recordHours, recordLastUse } from './recorded-usage.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

/** Everything that can move: a limit, scopes, an expiry, a creator, requests, rejections and events. */
const full = await ada.createKey({
  name: 'Production Server',
  scopes: ['keys:read', 'keys:write'],
  expiresAt: new Date(Date.now() + 3 * msPerDay).toISOString(),
});
await recordHours(dashboard, full.key.id, [
  { hoursAgo: 1, accepted: 1_234_567, refused: 40 },
  { hoursAgo: 2, accepted: 5, refused: 3, code: 'insufficient_scope' },
]);
await recordLastUse(dashboard, full.key.id, { at: Date.now() - 5000 });
await ada.call('PATCH', `/v1/api-keys/${full.key.id}`, { name: 'Production Server 2' });
await ada.call('PATCH', `/v1/api-keys/${full.key.id}`, { name: 'Production Server' });
const ended = await ada.createKey({ name: 'Ended' });
await ada.revoke(ended.key.id);

const sizes = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
];
const views = [
  { what: 'the overview', path: `/settings/api/${full.key.id}` },
  { what: 'the access', path: `/settings/api/${full.key.id}?tab=access` },
  { what: 'the activity', path: `/settings/api/${full.key.id}?tab=activity` },
  { what: 'the overview of a revoked key', path: `/settings/api/${ended.key.id}` },
  { what: 'the access of a revoked key', path: `/settings/api/${ended.key.id}?tab=access` },
];

/** Records every layout shift, also those before this call. */
const recordShifts = `
  window.layoutShifts = [];
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries())
      window.layoutShifts.push(value + ' ' + sources.map(({ node }) => (node?.outerHTML ?? node?.textContent ?? '').slice(0, 150)).join());
  }).observe({ type: 'layout-shift', buffered: true });`;

/** Chromium reports a shift with the frame after it. */
const readShifts = `new Promise((resolve) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(window.layoutShifts)))))`;

const shiftsOf = (page: Page) => evaluate(page, z.array(z.string()), readShifts);

/**
 * Holds the responses of the API.
 *
 * @returns a function that releases them, one kind after another
 */
async function holdResponses(page: Page, order: RegExp[]): Promise<() => Promise<void>> {
  const kinds = order.map((pattern) => ({ pattern, gate: Promise.withResolvers<void>(), held: false }));
  await page.route('**/v1/**', async (route) => {
    const { pathname } = new URL(route.request().url());
    const kind = kinds.find(({ pattern }) => pattern.test(pathname));
    if (kind) kind.held = true;
    await kind?.gate.promise;
    await route.continue();
  });
  return async () => {
    for (const { pattern, gate, held } of kinds) {
      const arrived = held
        ? page.waitForResponse((response) => pattern.test(new URL(response.url()).pathname))
        : undefined;
      gate.resolve();
      await (await arrived)?.finished();
      await shiftsOf(page);
    }
  };
}

const responses = [/^\/v1\/api-keys\/key_\w+$/, /\/usage$/, /^\/v1\/audit/, /^\/v1\/workspace$/];

for (const size of sizes) {
  for (const { what, path } of views) {
    test(`at ${size.width} px, nothing moves while ${what} is loading`, async (t) => {
      const page = await dashboard.open(t, '/healthz', { viewport: size });
      for (const order of [responses, responses.toReversed()]) {
        const release = await holdResponses(page, order);
        await page.goto(dashboard.server.url + path);
        await page.getByRole('navigation', { name: 'Key', exact: true }).waitFor();
        await page.locator('main .skeleton').first().waitFor();
        await page.evaluate(recordShifts);
        await release();
        await waitUntilLoaded(page);
        assert.deepEqual(await shiftsOf(page), []);
        await page.unrouteAll({ behavior: 'wait' });
      }
    });
  }
}

test('a name that is written from right to left is displayed in this direction', async (t) => {
  const name = 'مفتاح (v2)!';
  const { key } = await ada.createKey({ name });
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await waitUntilLoaded(page);
  const directions = `[...document.querySelectorAll('h1, .crumbs bdi, .recent__name')]
    .filter(({ textContent }) => textContent === ${JSON.stringify(name)})
    .map((element) => getComputedStyle(element).direction)`;
  const shown = await evaluate(page, z.array(z.string()), directions);
  assert.ok(shown.length >= 3 && shown.every((direction) => direction === 'rtl'), shown.join());
});
