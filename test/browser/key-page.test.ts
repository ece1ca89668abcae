/** The page of a key: accepted and rejected requests as chart, table and text, and the last use. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usageSchema } from '@soku/contract/usage';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { bearer, call } from '../support/person.ts';
import { waitUntilLoaded } from './accessibility.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import {
  evaluate,
  expectFocus,
  expectHidden,
  expectPath,
  expectText,
  expectVisibleFocus,
  readTexts,
  tabTo,
  waitUntil,
} from './expect.ts';
import { heading } from './key-pages.ts';
import { recordHours, recordLastUse, startOfHour } from './recorded-usage.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

/** Calls the API like a program. */
async function callApi(apiKey: string, from = '203.0.113.7', agent = 'curl/8.5'): Promise<number> {
  const headers = { ...bearer(apiKey), 'x-forwarded-for': from, 'user-agent': agent };
  return (await call(`${dashboard.server.url}/v1/me`, { headers })).status;
}

const requests = (page: Page) =>
  page.locator('section').filter({ has: page.getByRole('heading', { name: 'Requests' }) });
const chart = (page: Page) => requests(page).getByRole('img');
const reader = (page: Page) => requests(page).getByRole('slider');
const readout = (page: Page) => page.locator('.chart__readout');
const ranges = (page: Page) => page.getByRole('navigation', { name: 'Time range' });
const bars = (page: Page) => chart(page).locator('.chart__accepted, .chart__refused').count();
const shows = (page: Page, accepted: string, rejected: string) =>
  expectText(requests(page), new RegExp(`Accepted ${accepted} Rejected ${rejected}( |$)`));

const inBerlin = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'Europe/Berlin',
});

test('the page shows the last use and the current counts of accepted and rejected requests', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'In use' });
  assert.equal(await callApi(apiKey, '198.51.100.4', 'old-program/1'), 200);
  assert.equal(await callApi(apiKey), 200);
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await shows(page, '2', '0');
  await expectText(
    requests(page),
    /Last used \d+ seconds? ago IP address 203\.0\.113\.7 User agent curl\/8\.5$/,
  );
  const time = requests(page).getByRole('time');
  const usage = usageSchema.parse((await ada.call('GET', `/v1/api-keys/${key.id}/usage`)).body);
  assert.equal(await time.getAttribute('datetime'), usage.lastUsed?.at);
  assert.match((await time.getAttribute('title')) ?? '', / UTC$/, 'exact on hover');
});

test('the page refreshes while it is visible and sends no requests while it is hidden', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'Watched' });
  const page = await dashboard.open(t, `/settings/api/${key.id}`, { alone: true });
  await page.clock.install();
  await page.reload();
  await shows(page, '0', '0');
  await callApi(apiKey);
  await page.clock.runFor(11_000);
  await shows(page, '1', '0');

  let sent = 0;
  page.on('request', (request) => {
    if (request.url().includes('/usage?')) sent += 1;
  });
  await page.evaluate(
    `Object.defineProperty(document, 'visibilityState', { configurable: true, value: 'hidden' }); dispatchEvent(new Event('visibilitychange'))`,
  );
  await callApi(apiKey);
  await page.clock.runFor(60_000);
  assert.equal(sent, 0, 'a hidden page sends no requests');
  await page.evaluate(`delete document.visibilityState; dispatchEvent(new Event('visibilitychange'))`);
  await shows(page, '2', '0');
});

test('the time range is in the URL, and Back restores the previous one', async (t) => {
  const { key } = await ada.createKey({ name: 'Of many days' });
  await recordHours(dashboard, key.id, [
    { hoursAgo: 3, accepted: 5 },
    { hoursAgo: 3 * 24, accepted: 7 },
    { hoursAgo: 20 * 24, accepted: 1100, refused: 1 },
    { hoursAgo: 40 * 24, accepted: 13 },
  ]);
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await shows(page, '5', '0');
  assert.equal(await bars(page), 1);
  await ranges(page).getByRole('link', { name: '7 days' }).click();
  await expectPath(page, `/settings/api/${key.id}?range=7d`);
  await shows(page, '12', '0');
  assert.equal(await bars(page), 2);
  await ranges(page).getByRole('link', { name: '30 days' }).click();
  await expectPath(page, `/settings/api/${key.id}?range=30d`);
  await shows(page, '1,112', '1');
  assert.equal(await reader(page).getAttribute('max'), '29', 'one bar per calendar day');
  assert.equal(
    await ranges(page).getByRole('link', { name: '30 days' }).getAttribute('aria-current'),
    'page',
  );
  await page.goBack();
  await shows(page, '12', '0');
  await page.reload();
  await shows(page, '12', '0');
  await page.goto(`${dashboard.server.url}/settings/api/${key.id}?range=century`);
  await shows(page, '5', '0');
});

test('chart, table and text show the numbers of the API in local hours', async (t) => {
  const { key } = await ada.createKey({ name: 'Read by hour' });
  await recordHours(dashboard, key.id, [
    { hoursAgo: 2, accepted: 30, refused: 4 },
    { hoursAgo: 1, accepted: 0, refused: 2 },
  ]);
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await shows(page, '30', '6');
  const hour = (hoursAgo: number) =>
    `${inBerlin.format(startOfHour(hoursAgo))}–${inBerlin.format(startOfHour(hoursAgo - 1))}`;
  const summary = (await chart(page).getAttribute('aria-label')) ?? '';
  assert.match(summary, /^Requests in the last 24 hours: 30 accepted, 6 rejected\. Busiest hour: 34, /);
  assert.ok(summary.endsWith(`${hour(2)}.`), summary);
  assert.equal(await bars(page), 3);
  await expectText(requests(page), /Times are in your time zone, Europe\/Berlin\./);

  await requests(page).getByText('Requests by hour').click();
  const rows = requests(page).getByRole('row');
  await expectText(rows.nth(1), new RegExp(`${hour(1)} 0 2$`));
  await expectText(rows.nth(2), new RegExp(`${hour(2)} 30 4$`));
  assert.equal(await rows.count(), 3, 'hours without requests are omitted');
});

test('the arrow keys move through the bars, and screen readers announce their numbers', async (t) => {
  const { key } = await ada.createKey({ name: 'By keyboard' });
  await recordHours(dashboard, key.id, [
    { hoursAgo: 1, accepted: 12, refused: 3 },
    { hoursAgo: 0, accepted: 1 },
  ]);
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await shows(page, '13', '3');
  await tabTo(reader(page));
  await expectText(readout(page), /: 1 accepted, 0 rejected$/);
  await page.keyboard.press('ArrowLeft');
  await expectText(readout(page), /: 12 accepted, 3 rejected$/);
  assert.match((await reader(page).getAttribute('aria-valuetext')) ?? '', /: 12 accepted, 3 rejected$/);
  assert.equal(await page.locator('.chart__band').count(), 1, 'the bar is marked');
  await page.keyboard.press('Home');
  await expectText(readout(page), /: 0 accepted, 0 rejected$/);
  await page.keyboard.press('Tab');
  await expectVisibleFocus(requests(page).locator('summary'));
  await expectText(readout(page), /^Times are/);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await expectVisibleFocus(requests(page).getByRole('region', { name: 'Requests by hour' }));
});

test('pointing at a bar shows its numbers, and leaving it shows the time zone again', async (t) => {
  const { key } = await ada.createKey({ name: 'Pointed at' });
  await recordHours(dashboard, key.id, [{ hoursAgo: 6, accepted: 8, refused: 1 }]);
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await shows(page, '8', '1');
  const plot = await reader(page).boundingBox();
  assert.ok(plot);
  // The last of the 24 bars is the current hour.
  await page.mouse.move(plot.x + (plot.width * 17.5) / 24, plot.y + plot.height / 2);
  await expectText(readout(page), /: 8 accepted, 1 rejected$/);
  const before = await requests(page).boundingBox();
  await page.mouse.move(plot.x + plot.width / 2, plot.y + plot.height + 300);
  await expectText(readout(page), /^Times are/);
  assert.deepEqual(await requests(page).boundingBox(), before, 'the layout does not shift');
});

test('an unused key links to the help, and an idle key shows when it was last used', async (t) => {
  const { key } = await ada.createKey({ name: 'Never used' });
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await expectText(requests(page), /No program has used this key yet\. How to use it.*Last used Never/);
  await requests(page).getByRole('link', { name: 'How to use it' }).click();
  await expectPath(page, '/help/authentication');

  const { key: resting } = await ada.createKey({ name: 'Resting' });
  await recordLastUse(dashboard, resting.id, { at: Date.now() - 3 * 24 * 3_600_000 - 1000, agent: '' });
  await page.goto(`${dashboard.server.url}/settings/api/${resting.id}`);
  await expectText(
    requests(page),
    /No requests in the last 24 hours\..*Last used 3 days ago IP address 203\.0\.113\.7 User agent Not sent/,
  );
});

test('a revoked key keeps its history, and its page counts rejected requests since it was revoked', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'Ended' });
  await recordHours(dashboard, key.id, [{ hoursAgo: 5, accepted: 9, refused: 4 }]);
  await callApi(apiKey);
  await ada.revoke(key.id);
  assert.equal(await callApi(apiKey), 401);
  assert.equal(await callApi(apiKey), 401);
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await expectText(requests(page), /Accepted 10 Rejected, 2 of them since it was revoked 6 /);
  assert.equal(await page.locator('.chart__revoked').count(), 1, 'the time is marked in the chart');
  await expectText(heading(page), /^Ended$/);
  await expectHidden(page.getByRole('button', { name: 'Revoke key' }));
  await page.getByRole('link', { name: 'Access' }).click();
  await expectText(page.getByRole('main'), /Rate limit No limit \(workspace default\) Expires Never/);
  await expectHidden(page.getByRole('button', { name: 'Edit limit' }));
});

test('the layout does not shift when the numbers have loaded', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'Slow' });
  await callApi(apiKey);
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  const held = Promise.withResolvers<void>();
  await page.route('**/usage?**', async (route) => {
    await held.promise;
    await route.continue();
  });
  await page.reload();
  await page.getByRole('button', { name: 'Revoke key' }).waitFor();
  await expectText(requests(page).getByRole('status'), /^Loading requests$/);
  const loading = await requests(page).boundingBox();
  held.resolve();
  await shows(page, '1', '0');
  assert.deepEqual(await requests(page).boundingBox(), loading);
});

test('if the numbers cannot be loaded, an error is shown and the rest of the page works', async (t) => {
  const { key } = await ada.createKey({ name: 'Without numbers' });
  const page = await dashboard.open(t, '/settings/api', { expected: [httpErrorMessage(500)] });
  await page.route('**/usage?**', (route) => route.fulfill({ status: 500, json: {} }));
  await page.goto(`${dashboard.server.url}/settings/api/${key.id}`);
  await expectText(requests(page).getByRole('alert'), /The server responded with 500/);
  await expectText(page.getByRole('main'), /Created by You/);
  await page.getByRole('button', { name: 'Rename' }).click();
  await page.getByRole('dialog').waitFor();
});

test('the list shows the last use of each key, with the exact time on hover and keyboard focus', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'Listed used' });
  await ada.createKey({ name: 'Listed unused' });
  await callApi(apiKey);
  const page = await dashboard.open(t, '/settings/api?q=Listed');
  const row = (name: string) =>
    page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
  await expectText(row('Listed unused').getByRole('cell').nth(4), /^Never$/);
  const used = row('Listed used').getByRole('cell').nth(4).getByRole('time');
  await expectText(used, /^just now/);
  const usage = usageSchema.parse((await ada.call('GET', `/v1/api-keys/${key.id}/usage`)).body);
  assert.equal(await used.getAttribute('datetime'), usage.lastUsed?.at);
  for (const name of ['Listed unused', 'Listed used']) {
    assert.equal((await row(name).boundingBox())?.height, 44);
  }
  await tabTo(page.getByRole('link', { name: 'Listed used' }));
  const exact = row('Listed used').locator('.when__exact');
  assert.equal((await readTexts(exact)).filter((text) => / CES?T$/.test(text)).length, 2);
  const [created, last] = [await exact.nth(0).boundingBox(), await exact.nth(1).boundingBox()];
  assert.ok(created && last && created.x + created.width <= last.x, 'side by side');
});

test('the name of a key links to its page, whose code is loaded only then', async (t) => {
  const { key } = await ada.createKey({ name: 'Led to' });
  const page = await dashboard.open(t, '/settings/api?q=Led');
  await waitUntilLoaded(page);
  const chunks = () =>
    evaluate(
      page,
      z.array(z.string()),
      `performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => /KeyPage/.test(name))`,
    );
  assert.deepEqual(await chunks(), [], 'its code is not loaded yet');
  await page.getByRole('link', { name: 'Led to' }).click();
  await expectPath(page, `/settings/api/${key.id}`);
  await expectFocus(heading(page));
  await waitUntil(chunks, (names) => names.length === 1, 'a separate chunk');
});
