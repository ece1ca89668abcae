/** A search of the key list that is still pending when the user leaves the list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dashboard } from './dashboard.ts';
import { expectPath, expectText } from './expect.ts';
import * as keys from './key-pages.ts';

test('a pending search does not pull the user back from a page that is still loading', async (t) => {
  const dashboard = await Dashboard.shared();
  const { key } = await dashboard.ada.createKey({ name: 'Opened while searching' });
  const page = await dashboard.open(t, '/settings/api', { alone: true });
  const released = Promise.withResolvers<void>();
  await page.route(/KeyPage/, async (route) => {
    await released.promise;
    await route.continue();
  });
  await page.clock.install();
  await keys.row(page, 'Opened while searching').waitFor();
  await page.clock.pauseAt(Number(await page.evaluate('Date.now()')) + 20_000);
  await page.getByRole('searchbox').fill('Opened');
  await page.getByRole('link', { name: 'Opened while searching' }).click();
  await expectPath(page, `/settings/api/${key.id}`);
  await page.clock.runFor(500);
  assert.equal(new URL(page.url()).pathname, `/settings/api/${key.id}`);
  await page.clock.resume();
  released.resolve();
  await expectText(keys.heading(page), /^Opened while searching$/);
});
