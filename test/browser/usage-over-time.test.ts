/** Usage over time on the pages of a key and of the workspace: ranges, clients and CSV. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { z } from 'zod';
import { expectAccessible, waitUntilLoaded } from './accessibility.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import { evaluate, expectPath, expectText, expectVisibleFocus, readTexts, tabTo } from './expect.ts';
import { recordClients, recordHours } from './recorded-usage.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;
const { key } = await ada.createKey({ name: 'Over time' });
const { key: unused } = await ada.createKey({ name: 'Without requests' });
await recordHours(dashboard, key.id, [
  { hoursAgo: 2, accepted: 50 },
  { hoursAgo: 20 * 24, accepted: 1100, refused: 3, code: 'insufficient_scope' },
  { hoursAgo: 80 * 24, accepted: 20_000 },
]);
await recordClients(dashboard, key.id, {
  addresses: Array.from({ length: 20 }, (_, i) => ({
    name: `203.0.113.${100 + i}`,
    requests: 1600 - i * 16,
  })),
  otherAddresses: 48,
  programs: [
    { name: 'deploy/2.1', requests: 5000 },
    { name: '', requests: 16 },
  ],
});

const section = (page: Page, name: string): Locator =>
  page.locator('section').filter({ has: page.getByRole('heading', { name, exact: true }) });
const clients = (page: Page) => section(page, 'Addresses and programs');
const ranges = (page: Page) => page.getByRole('navigation', { name: 'Time range' });
const rows = (page: Page, table: number) =>
  readTexts(clients(page).getByRole('table').nth(table).locator('tbody tr'));

async function download(page: Page, link: Locator): Promise<string[]> {
  const [file] = await Promise.all([page.waitForEvent('download'), link.click()]);
  return (await readFile(await file.path(), 'utf8')).split('\r\n');
}

test('the page of a key shows 90 days, its clients, and both as CSV', async (t) => {
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  const requests = section(page, 'Requests');
  await expectText(requests, /Accepted 50 Rejected 0 /);
  await tabTo(ranges(page).getByRole('link', { name: '90 days' }));
  await page.keyboard.press('Enter');
  await expectPath(page, `/settings/api/${key.id}?range=90d`);
  await expectText(requests, /Accepted 21,150 Rejected 3 .*Days are in your time zone, Europe\/Berlin\./);
  assert.equal(await requests.getByRole('slider').getAttribute('max'), '89', 'one bar per day');

  await expectText(clients(page), /Estimated from a sample: one in 16 accepted requests\..*UTC/);
  assert.deepEqual(await rows(page, 1), ['deploy/2.1 5,000', 'No User-Agent 16', 'Unknown 16,134']);
  const first = await rows(page, 0);
  assert.deepEqual([first[0], first[5], first.length], ['203.0.113.100 1,600', 'All others 21,168', 6]);
  await tabTo(clients(page).getByRole('button', { name: 'Show 20 addresses' }));
  await page.keyboard.press('Enter');
  const all = await rows(page, 0);
  assert.deepEqual([all[19], all[20], all.length], ['203.0.113.119 1,296', 'All others 48', 21]);
  await expectVisibleFocus(clients(page).getByRole('button', { name: 'Show fewer' }));

  const days = await download(page, requests.getByRole('link', { name: 'Download CSV of requests' }));
  assert.equal(days[0], 'from,to,accepted,rejected,rejected: insufficient_scope');
  assert.deepEqual([days.length, days.filter((line) => line.includes(',1100,3,3')).length], [92, 1]);
  const names = await download(page, clients(page).getByRole('link', { name: 'Download CSV of clients' }));
  assert.ok(names.includes('other addresses,,48'), names.join('\n'));

  await page.setViewportSize({ width: 390, height: 844 });
  await expectAccessible(page);
  assert.equal(await page.evaluate('document.documentElement.scrollWidth > innerWidth'), false);
});

test('the overview changes its range in its URL, and shows the clients of the workspace', async (t) => {
  const page = await dashboard.open(t, '/?range=30d');
  const requests = section(page, 'Requests per day');
  await expectText(requests, /Accepted 1,150 Rejected 3 .*Missing scope 3/);
  await expectText(clients(page), /deploy\/2\.1 5,000/);
  await ranges(page).getByRole('link', { name: '24 hours' }).click();
  await expectPath(page, '/');
  await expectText(section(page, 'Requests per hour'), /Accepted today Yesterday Rejected/);
  await page.goBack();
  await expectText(requests, /Accepted 1,150 Rejected 3 /);
});

test('a key without requests has an empty chart and no clients, on every range', async (t) => {
  const page = await dashboard.open(t, `/settings/api/${unused.id}?range=90d`);
  await waitUntilLoaded(page);
  await expectText(clients(page), /IP address Requests \(estimated\) No accepted requests\./);
  await expectText(section(page, 'Requests'), /No program has used this key yet\./);
});

test('days are in whole hours from UTC if the server does not know the time zone of the browser', async (t) => {
  const page = await dashboard.open(t, `/settings/api/${key.id}`, { expected: [httpErrorMessage(400)] });
  const requests = section(page, 'Requests');
  await expectText(requests, /Accepted 50 /);
  t.after(() => page.unrouteAll());
  await page.route(/timeZone=Europe/, (route) =>
    route.continue({ url: route.request().url().replace('Berlin', 'Newtown') }),
  );
  await ranges(page).getByRole('link', { name: '90 days' }).click();
  await expectText(
    requests,
    /Days are in GMT\+[12], because the server does not know your time zone, Europe\/Berlin\./,
  );
  const csv = requests.getByRole('link', { name: 'Download CSV of requests' });
  assert.match((await csv.getAttribute('href')) ?? '', /timeZone=Etc%2FGMT-[12]/);
  assert.equal((await download(page, csv)).length, 92);
  await ranges(page).getByRole('link', { name: '7 days' }).click();
  await expectText(requests, /Times are in your time zone, Europe\/Berlin\./);
});

test('a long IPv6 address breaks between its groups', async (t) => {
  const { key: distant } = await ada.createKey({ name: 'IPv6' });
  const name = '2001:0db8:85a3:1234:5678:8a2e:0370:7334';
  await recordHours(dashboard, distant.id, [{ hoursAgo: 2, accepted: 16 }]);
  await recordClients(dashboard, distant.id, { addresses: [{ name, requests: 16 }], programs: [] });
  const page = await dashboard.open(t, `/settings/api/${distant.id}`, {
    viewport: { width: 390, height: 844 },
  });
  const address = clients(page).getByText(name);
  await expectText(address, new RegExp(name));
  // The tops of the lines that each group is on.
  const lines = await evaluate(
    page,
    z.array(z.array(z.number())),
    `[...document.querySelectorAll('.clients__table bdi > span')].map((group) => {
      const range = document.createRange();
      range.selectNodeContents(group);
      return [...range.getClientRects()].map(({ top }) => top);
    })`,
  );
  assert.deepEqual(
    lines.map((tops) => tops.length),
    Array.from({ length: 8 }, () => 1),
  );
  assert.ok(new Set(lines.flat()).size > 1, 'it does not fit on one line');
});
