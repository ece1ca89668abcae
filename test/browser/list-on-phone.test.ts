/** The key list on a phone: what is beside what, down to the smallest screen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msPerDay } from '@soku/contract/instant';
import type { Locator, Page } from 'playwright-core';
import { waitUntilLoaded } from './accessibility.ts';
import { Dashboard } from './dashboard.ts';
import * as keys from './key-pages.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { key } = await dashboard.ada.createKey({ name: 'Unused' });
await dashboard.database(
  'UPDATE api_key SET created_at = created_at - ? WHERE id = ?',
  310 * msPerDay,
  key.id,
);

const addFilter = (page: Page) => page.getByRole('button', { name: 'Add filter' });
const boxOf = async (locator: Locator) => {
  const box = await locator.boundingBox();
  assert.ok(box, `${locator} is visible`);
  return box;
};

test('on a phone, the filter button is beside the status links, and the chips are below them', async (t) => {
  const page = await dashboard.open(t, '/settings/api?unusedDays=90', {
    viewport: { width: 390, height: 844 },
  });
  const links = page.getByRole('navigation', { name: 'Status' }).getByRole('link');
  for (const width of [390, 320]) {
    await page.setViewportSize({ width, height: 844 });
    await waitUntilLoaded(page);
    const [button, chip] = [await boxOf(addFilter(page)), await boxOf(page.locator('.chip:not(.chip--add)'))];
    assert.ok(button.x + button.width <= width, 'the button is on the screen');
    for (const link of await links.all()) {
      const { y, height } = await boxOf(link);
      assert.equal(y + height / 2, button.y + button.height / 2, `the same row at ${width} px`);
    }
    assert.ok(chip.y >= button.y + button.height);
  }
});

test('on the smallest screen, the date and the notice of a key do not overlap', async (t) => {
  const page = await dashboard.open(t, '/settings/api?q=Unused', { viewport: { width: 320, height: 640 } });
  await waitUntilLoaded(page);
  const notice = await boxOf(keys.row(page, 'Unused').locator('.badge'));
  const date = await boxOf(keys.row(page, 'Unused').locator('time:visible'));
  assert.ok(notice.y >= date.y + date.height || date.x + date.width <= notice.x);
});
