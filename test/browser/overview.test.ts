/** The overview: requests of today and yesterday, the busiest and most rejected keys, and what needs attention. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msPerDay } from '@soku/contract/instant';
import { workspaceUsageSchema } from '@soku/contract/usage';
import type { Page } from 'playwright-core';
import { bearer, call } from '../support/person.ts';
import { runSql } from '../support/run-sql.ts';
import { expectAccessible, waitUntilLoaded } from './accessibility.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import { expectFocus, expectPath, expectText, readTexts, tabTo } from './expect.ts';
import * as keys from './key-pages.ts';
import { recordHours, recordLastUse, startOfHour } from './recorded-usage.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

const section = (page: Page, name: string) =>
  page.locator('section').filter({ has: page.getByRole('heading', { name, exact: true }) });
const items = (page: Page) => section(page, 'Needs attention').getByRole('listitem');
const ranking = (page: Page, name: string) => section(page, name).getByRole('listitem');

/** The hour of the latest usage, unless it ends while that is written. */
const recordedHour = startOfHour(0);
const { key: busy } = await ada.createKey({ name: 'Production Server' });
const { key: calm } = await ada.createKey({ name: 'Staging' });
const { key: expiring } = await ada.createKey({
  name: 'Invoice renderer',
  expiresAt: new Date(Date.now() + 2 * msPerDay + 60_000).toISOString(),
});
const { key: idle } = await ada.createKey({ name: 'Legacy importer' });
const { key: gone, apiKey: goneKey } = await ada.createKey({ name: 'Old mobile app' });
await ada.revoke(gone.id);
await dashboard.database(
  'UPDATE api_key SET created_at = created_at - ? WHERE id = ?',
  200 * msPerDay,
  idle.id,
);
await recordHours(dashboard, busy.id, [
  { hoursAgo: 0, accepted: 4000 },
  { hoursAgo: 1, accepted: 1000, refused: 3 },
  { hoursAgo: 24, accepted: 2500 },
]);
await recordHours(dashboard, calm.id, [{ hoursAgo: 0, accepted: 100, refused: 60 }]);
await recordHours(dashboard, expiring.id, [{ hoursAgo: 0, accepted: 12 }]);
for (const { id } of [busy, calm, expiring]) await recordLastUse(dashboard, id, { at: Date.now() });
assert.equal((await call(`${dashboard.server.url}/v1/me`, { headers: bearer(goneKey) })).status, 401);

const mainHeading = (page: Page) => page.getByRole('heading', { level: 1 });

async function summary(page: Page): Promise<string> {
  await waitUntilLoaded(page);
  return (await readTexts(page.locator('.overview__figure'))).join();
}

test('one sentence compares today with yesterday, and the chart is a table, too', async (t) => {
  const page = await dashboard.open(t, '/');
  const dayStart = new Date(startOfHour(0));
  dayStart.setUTCHours(dayStart.getUTCHours() - Number(await page.evaluate('new Date().getHours()')));
  const response = await ada.call('GET', `/v1/usage?dayStart=${dayStart.toISOString()}`);
  const { today } = workspaceUsageSchema.parse(response.body);
  const requests = (today.accepted + today.refused).toLocaleString('en');
  assert.match(await summary(page), new RegExp(`^${requests} requests .*yesterday`));
  await expectText(page.locator('.overview__day'), /^Overview \w+.*, until \d\d:\d\d$/);
  const chart = section(page, 'Requests per hour');
  await expectText(chart.locator('.day-reasons'), /^Rejected \d+/);
  const name = (await chart.getByRole('img').getAttribute('aria-label')) ?? '';
  assert.match(name, new RegExp(`Today: ${today.accepted.toLocaleString('en')} accepted`));
  await chart.getByText('Requests by hour', { exact: true }).click();
  const cells = await readTexts(chart.getByRole('row').last().getByRole('cell'));
  assert.ok(cells.length === 4, cells.join());
});

test('the numbers of an hour are read with the mouse and the arrow keys', async (t) => {
  const page = await dashboard.open(t, '/');
  await waitUntilLoaded(page);
  const chart = section(page, 'Requests per hour');
  const slider = chart.getByRole('slider', { name: 'Requests of one hour' });
  await tabTo(slider);
  if (startOfHour(0) !== recordedHour) await page.keyboard.press('ArrowLeft');
  await expectText(
    chart.locator('.day__readout'),
    /: 4,112 accepted, 6[01] rejected; \d[\d,]* accepted, 0 rejected yesterday$/,
  );
  assert.match((await slider.getAttribute('aria-valuetext')) ?? '', /: 4,112 accepted/);
  await page.keyboard.press('Home');
  await expectText(chart.locator('.day__readout'), /^00:00–01:00: /);
  await page.keyboard.press('Tab');
  await expectText(chart.locator('.day__readout'), /^Accepted today Yesterday Rejected$/);
});

test('the busiest and the most rejected keys link to their pages', async (t) => {
  const page = await dashboard.open(t, '/');
  await waitUntilLoaded(page);
  assert.deepEqual((await readTexts(ranking(page, 'Busiest keys'))).slice(0, 3), [
    'Production Server 5,000',
    'Staging 100',
    'Invoice renderer 12',
  ]);
  const rejected = await readTexts(ranking(page, 'Most rejected'));
  assert.match(rejected[0] ?? '', /^Staging .*60$/);
  assert.equal(rejected[2], 'Old mobile app Revoked 1');
  await section(page, 'Busiest keys').getByRole('link', { name: 'Production Server' }).click();
  await expectPath(page, `/settings/api/${busy.id}`);
});

test('the bars of the busiest keys begin at the same place, however wide the numbers are', async (t) => {
  const page = await dashboard.open(t, '/healthz');
  await page.route('**/v1/usage?*', async (route) => {
    const response = await route.fetch();
    const usage = workspaceUsageSchema.parse(await response.json());
    const busiest = usage.busiest.map((ranked, i) =>
      i === 0 ? { ...ranked, accepted: 12_345_678 } : ranked,
    );
    await route.fulfill({ response, json: { ...usage, busiest } });
  });
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 844 });
    await page.goto(dashboard.server.url);
    await expectText(ranking(page, 'Busiest keys').first(), /12,345,678$/);
    const bars = await page.locator('.ranked__share').all();
    const starts = await Promise.all(bars.map(async (bar) => (await bar.boundingBox())?.x));
    assert.ok(bars.length > 1);
    assert.equal(new Set(starts).size, 1, starts.join());
  }
});

test('what needs attention has one action each', async (t) => {
  // Usage is known for so long that the idle key is known to be idle. The shared server has one such time.
  const [history] = await runSql(dashboard.server, 'SELECT complete_since FROM usage_history');
  const knownSince = (at: number) => dashboard.database('UPDATE usage_history SET complete_since = ?', at);
  await knownSince(Date.now() - 100 * msPerDay);
  t.after(() => knownSince(Number(history?.complete_since)));
  const page = await dashboard.open(t, '/');
  await waitUntilLoaded(page);
  const [rejected = '', revoked = '', expires = '', unused = '', ...others] = await readTexts(items(page));
  assert.match(rejected, /^Staging is rejected 60 of 160 requests in the last 24 hours\./);
  assert.match(
    revoked,
    /^Old mobile app is revoked but still used 1 rejected request in the last 24 hours\./,
  );
  assert.match(expires, /^Invoice renderer expires in 2 days .* 12 requests in the last 24 hours\./);
  assert.match(unused, /^1 key unused for 90 days Legacy importer\./);
  assert.deepEqual(others, []);
  for (const item of await items(page).all()) assert.equal(await item.getByRole('link').count(), 1);
  await items(page).last().getByRole('link', { name: 'Review' }).click();
  await expectPath(page, '/settings/api/hygiene?kind=idle_90_days');
  await expectText(page.locator('tbody').getByRole('link'), /^Legacy importer$/);
  await page.goBack();
  await page.getByRole('link', { name: 'Open key Invoice renderer' }).click();
  await expectPath(page, `/settings/api/${expiring.id}`);
  await expectFocus(keys.heading(page));
});

test('the overview with activity is accessible, and so are its numbers', async (t) => {
  const page = await dashboard.open(t, '/');
  await waitUntilLoaded(page);
  await page.getByText('Requests by hour', { exact: true }).click();
  await expectAccessible(page);
});

test('if the usage cannot be loaded, the page shows the error, what needs attention, and a way to retry', async (t) => {
  const page = await dashboard.open(t, '/healthz', { expected: [httpErrorMessage(500)] });
  await page.route('**/v1/usage?**', (route) => route.fulfill({ status: 500, json: {} }));
  await page.goto(dashboard.server.url);
  await expectText(page.getByRole('main').getByRole('alert').first(), /The server responded with 500/);
  await expectText(items(page).first(), /^Invoice renderer expires/);
  await expectText(mainHeading(page), /^Overview$/);
  await waitUntilLoaded(page);
  await expectAccessible(page);
  await page.unroute('**/v1/usage?**');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expectText(page.locator('.overview__figure'), /requests/);
});

test('while the numbers are loading, the page has its heading, and nothing needs attention yet', async (t) => {
  const page = await dashboard.open(t, '/healthz');
  let respond = () => {};
  const held = new Promise<void>((resolve) => {
    respond = resolve;
  });
  await page.route('**/v1/usage?**', async (route) => {
    await held;
    await route.continue();
  });
  const lists = page.waitForResponse(/kind=idle_90_days/);
  await page.goto(dashboard.server.url);
  await (await lists).finished();
  await expectText(mainHeading(page), /^Overview$/);
  await page.locator('.attention .skeleton').first().waitFor();
  assert.equal(await page.locator('.attention__title, .attention__none').count(), 0);
  respond();
  await expectText(items(page).first(), /^Staging is rejected/);
  await expectText(mainHeading(page), /^Overview$/);
});

test('if the keys cannot be loaded, the page has its heading, the error and a way to retry', async (t) => {
  const page = await dashboard.open(t, '/healthz', { expected: [httpErrorMessage(500)] });
  await page.route('**/v1/api-keys?**', (route) => route.fulfill({ status: 500, json: {} }));
  await page.goto(dashboard.server.url);
  await expectText(page.getByRole('main').getByRole('alert'), /^The server responded with 500/);
  await expectText(mainHeading(page), /^Overview$/);
  await expectAccessible(page);
  await page.unroute('**/v1/api-keys?**');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expectText(page.locator('.overview__figure'), /requests/);
});

test('the overview of a workspace in which nothing needs attention states that', async (t) => {
  const fresh = await Dashboard.inNewWorkspace();
  await fresh.ada.createKey({ name: 'Only one' });
  const page = await fresh.open(t, '/');
  await expectText(section(page, 'Needs attention'), /Nothing\. No key expires within 7 days/);
  await expectText(page.locator('.overview__figure'), /^No requests today$/);
  await expectText(section(page, 'Busiest keys'), /No accepted requests in the last 24 hours\./);
  await expectText(section(page, 'Requests per hour'), /No requests yesterday or today\./);
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Generate New Key' }).click();
  await expectPath(page, '/settings/api?panel=generate');
});

test('a key that was rejected only before it was revoked needs no attention', async (t) => {
  const fresh = await Dashboard.inNewWorkspace();
  const { key: ended } = await fresh.ada.createKey({ name: 'Ended' });
  const expiresAt = new Date(Date.now() + 2 * msPerDay + 60_000).toISOString();
  const { key: ending } = await fresh.ada.createKey({ name: 'Ending', expiresAt });
  await recordHours(fresh, ended.id, [{ hoursAgo: 1, accepted: 0, refused: 60 }]);
  await recordHours(fresh, ending.id, [{ hoursAgo: 1, accepted: 1 }]);
  await fresh.ada.revoke(ended.id);
  const page = await fresh.open(t, '/');
  await waitUntilLoaded(page);
  assert.deepEqual(await readTexts(ranking(page, 'Most rejected')), ['Ended Rate limit 60']);
  await expectText(items(page), /^Ending expires in 2 days [^|]* 1 request in the last 24 hours\. Open key/);
});

test('the first steps end with protecting the API, and lead to the first key', async (t) => {
  const fresh = await Dashboard.inNewWorkspace();
  const page = await fresh.open(t, '/');
  await expectText(mainHeading(page), /^Overview$/);
  const steps = page.getByRole('main').getByRole('heading', { level: 2 });
  await expectText(steps, /^Create a key \| Call the API \| Protect your API$/);
  await page.getByRole('link', { name: 'Create your first key' }).click();
  await expectPath(page, '/settings/api?panel=generate');
  await expectFocus(keys.nameField(page));
});
