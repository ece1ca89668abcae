/** The key list on wide and narrow screens: what is beside what, and what can be read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { z } from 'zod';
import { waitUntilLoaded } from './accessibility.ts';
import { Dashboard } from './dashboard.ts';
import { evaluate, readTexts } from './expect.ts';
import { recordHours } from './recorded-usage.ts';

const dashboard = await Dashboard.inNewWorkspace();
const name = 'Layout of data warehouse';
const { key } = await dashboard.ada.createKey({ name });
await recordHours(dashboard, key.id, [{ hoursAgo: 1, accepted: 1_234_567, refused: 123_456 }]);
await dashboard.ada.createKey({ name: 'Layout', scopes: ['keys:read', 'keys:write'] });
await dashboard.ada.createKey({ name: 'Layout '.repeat(14) });

const boxOf = async (locator: Locator) => {
  const box = await locator.boundingBox();
  assert.ok(box, `${locator} is visible`);
  return box;
};

/** The heights of the rows, in px. */
const readHeights = `[...new Set(Array.from(document.querySelectorAll('tbody tr'), (row) => row.offsetHeight))]`;

test('beside all columns, a name of usual length is not cut, and every row has the same height', async (t) => {
  const page = await dashboard.open(t, '/settings/api?q=Layout');
  await waitUntilLoaded(page);
  const link = page.getByRole('link', { name, exact: true });
  const hidden = await link.evaluate((a) => [a.scrollWidth - a.clientWidth, a.scrollHeight - a.clientHeight]);
  assert.deepEqual(hidden, [0, 0]);
  assert.deepEqual(await evaluate(page, z.array(z.number()), readHeights), [44]);
});

test('several filters are in one row below the status links and the search', async (t) => {
  const page = await dashboard.open(t, '/settings/api?unusedDays=30&expiresWithinDays=30&scope=keys:read');
  await waitUntilLoaded(page);
  const search = page.getByRole('searchbox', { name: 'Search keys' });
  for (const width of [1280, 1024]) {
    await page.setViewportSize({ width, height: 800 });
    const status = await boxOf(page.getByRole('navigation', { name: 'Status' }));
    const field = await boxOf(search);
    assert.ok(field.y < status.y + status.height, `the search is beside the status links at ${width} px`);
    const chips = await page.locator('.filters > .chip').all();
    const tops = await Promise.all(chips.map(async (chip) => (await boxOf(chip)).y));
    assert.equal(tops.length, 4);
    assert.equal(new Set(tops).size, 1, `one row at ${width} px`);
    assert.ok(Math.min(...tops) >= field.y + field.height, `below the search at ${width} px`);
  }
});

test('on a wide screen, one filter is beside the search', async (t) => {
  const page = await dashboard.open(t, '/settings/api?unusedDays=30');
  await waitUntilLoaded(page);
  const chip = await boxOf(page.locator('.filters > .chip').first());
  const field = await boxOf(page.getByRole('searchbox', { name: 'Search keys' }));
  assert.ok(chip.y < field.y + field.height && chip.x + chip.width < field.x);
});

/** Answers with these counts, as in a workspace with so many keys. */
async function claimCounts(page: Page, count: number): Promise<void> {
  await page.unrouteAll({ behavior: 'wait' });
  await page.route('**/v1/api-keys?*', async (route) => {
    const response = await route.fetch();
    const list = z.looseObject({}).parse(await response.json());
    const counts = { active: count, disabled: count, revoked: count, expired: count, all: count };
    await route.fulfill({ response, json: { ...list, counts } });
  });
}

test('nothing beside the numbers of the status links moves, however large they are', async (t) => {
  const page = await dashboard.open(t, '/healthz');
  const nav = page.getByRole('navigation', { name: 'Status' });
  const places = new Map([1280, 1024, 390, 320].map((width) => [width, new Set<string>()]));
  for (const count of [1, 9_999, 10_000, 123_456, 999_999]) {
    await claimCounts(page, count);
    await page.goto(`${dashboard.server.url}/settings/api?q=Layout`);
    await waitUntilLoaded(page);
    const number = nav.locator('.filter__count').first();
    assert.equal(await number.getAttribute('title'), count.toLocaleString('en'));
    // The place depends on the size by CSS alone, so the page need not be loaded again for it.
    for (const [width, seen] of places) {
      await page.setViewportSize({ width, height: 800 });
      const moving = [
        ...(await nav.getByRole('link').all()),
        page.getByRole('button', { name: 'Add filter' }),
      ];
      seen.add(JSON.stringify(await Promise.all(moving.map(boxOf))));
    }
  }
  for (const [width, seen] of places)
    assert.equal(seen.size, 1, `at ${width} px: ${[...seen].join(' and ')}`);
  assert.deepEqual(await readTexts(nav.locator('.filter__count').last()), ['999K']);
});
