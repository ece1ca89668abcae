/** The page of a key: how much it is used, by whom, and what is refused; in bars, in numbers and in words. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { usageSchema } from '@soku/contract/usage';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { bearer, call } from '../support/person.ts';
import { settled } from './accessibility.ts';
import { answered, Dashboard } from './dashboard.ts';
import { evaluate, hasFocus, isAt, isGone, reads, showsFocus, tabTo, texts, until } from './expect.ts';
import { heading } from './key-pages.ts';
import { recordHours, recordLastUse, startOfHour } from './recorded-usage.ts';

const dashboard = await Dashboard.start();
after(() => dashboard.stop());
const { ada } = dashboard;

/** A program calls the API. */
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
const shows = (page: Page, accepted: string, refused: string) =>
  reads(requests(page), new RegExp(`Accepted ${accepted} Refused ${refused}( |$)`));

const inBerlin = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  timeZone: 'Europe/Berlin',
});

test('the page shows who used the key last, and counts what was accepted and refused up to this moment', async (t) => {
  const { apiKey, key } = await ada.makeKey({ name: 'In use' });
  assert.equal(await callApi(apiKey, '198.51.100.4', 'old-program/1'), 200);
  assert.equal(await callApi(apiKey), 200);
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await shows(page, '2', '0');
  await reads(
    requests(page),
    /Last used \d+ seconds? ago From address 203\.0\.113\.7 With program curl\/8\.5$/,
  );
  const time = requests(page).getByRole('time');
  const usage = usageSchema.parse((await ada.call('GET', `/v1/api-keys/${key.id}/usage`)).body);
  assert.equal(await time.getAttribute('datetime'), usage.lastUsed?.at);
  assert.match((await time.getAttribute('title')) ?? '', / UTC$/, 'exact on hover');
});

test('the page brings itself up to date while it is looked at, and asks nothing while it is not', async (t) => {
  const { apiKey, key } = await ada.makeKey({ name: 'Watched' });
  const page = await dashboard.open(t, `/settings/api/${key.id}`, { alone: true });
  await page.clock.install();
  await page.reload();
  await shows(page, '0', '0');
  await callApi(apiKey);
  await page.clock.runFor(11_000);
  await shows(page, '1', '0');

  let asked = 0;
  page.on('request', (request) => {
    if (request.url().includes('/usage?')) asked += 1;
  });
  await page.evaluate(
    `Object.defineProperty(document, 'visibilityState', { configurable: true, value: 'hidden' }); dispatchEvent(new Event('visibilitychange'))`,
  );
  await callApi(apiKey);
  await page.clock.runFor(60_000);
  assert.equal(asked, 0, 'a hidden page asks nothing');
  await page.evaluate(`delete document.visibilityState; dispatchEvent(new Event('visibilitychange'))`);
  await shows(page, '2', '0');
});

test('when the session ends, the page asks for the password once, and not every ten seconds', async (t) => {
  const { key } = await ada.makeKey({ name: 'Left open' });
  const person = await dashboard.openSession();
  const page = await dashboard.open(t, `/settings/api/${key.id}`, {
    alone: true,
    as: person,
    expected: [answered(401)],
  });
  await page.clock.install();
  await page.reload();
  await shows(page, '0', '0');
  await settled(page);
  await dashboard.database('DELETE FROM session WHERE token = ?', person.storedToken);
  await page.clock.runFor(11_000);
  const question = page.getByRole('dialog').filter({ hasText: 'Your session is over' });
  await question.waitFor();
  await page.keyboard.press('Escape');
  await isGone(question);
  let asked = 0;
  page.on('request', () => {
    asked += 1;
  });
  await page.clock.runFor(60_000);
  assert.equal(asked, 0);
  await shows(page, '0', '0');
});

test('24 hours, 7 days and 30 days are in the address, and Back brings the one before', async (t) => {
  const { key } = await ada.makeKey({ name: 'Of many days' });
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
  await isAt(page, `/settings/api/${key.id}?range=7d`);
  await shows(page, '12', '0');
  assert.equal(await bars(page), 2);
  await ranges(page).getByRole('link', { name: '30 days' }).click();
  await isAt(page, `/settings/api/${key.id}?range=30d`);
  await shows(page, '1,112', '1');
  assert.equal(await reader(page).getAttribute('max'), '29', 'one bar a day of the calendar');
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

test('bars, numbers and sentence say the same as the API, in the hours of the reader', async (t) => {
  const { key } = await ada.makeKey({ name: 'Read by hour' });
  await recordHours(dashboard, key.id, [
    { hoursAgo: 2, accepted: 30, refused: 4 },
    { hoursAgo: 1, accepted: 0, refused: 2 },
  ]);
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await shows(page, '30', '6');
  const hour = (hoursAgo: number) =>
    `${inBerlin.format(startOfHour(hoursAgo))}–${inBerlin.format(startOfHour(hoursAgo - 1))}`;
  const sentence = (await chart(page).getAttribute('aria-label')) ?? '';
  assert.match(sentence, /^Requests in the last 24 hours: 30 accepted, 6 refused\. Most in one hour: 34, /);
  assert.ok(sentence.endsWith(`${hour(2)}.`), sentence);
  assert.equal(await bars(page), 3);
  await reads(requests(page), /Times are in your time zone, Europe\/Berlin\./);

  await requests(page).getByText('Numbers by hour').click();
  const rows = requests(page).getByRole('row');
  await reads(rows.nth(1), new RegExp(`${hour(1)} 0 2$`));
  await reads(rows.nth(2), new RegExp(`${hour(2)} 30 4$`));
  assert.equal(await rows.count(), 3, 'hours without requests are left out');
});

test('the keyboard reads the bars one by one, and a screen reader hears their numbers', async (t) => {
  const { key } = await ada.makeKey({ name: 'By keyboard' });
  await recordHours(dashboard, key.id, [
    { hoursAgo: 1, accepted: 12, refused: 3 },
    { hoursAgo: 0, accepted: 1 },
  ]);
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await shows(page, '13', '3');
  await tabTo(reader(page));
  await reads(readout(page), /: 1 accepted, 0 refused$/);
  await page.keyboard.press('ArrowLeft');
  await reads(readout(page), /: 12 accepted, 3 refused$/);
  assert.match((await reader(page).getAttribute('aria-valuetext')) ?? '', /: 12 accepted, 3 refused$/);
  assert.equal(await page.locator('.chart__band').count(), 1, 'the bar is marked');
  await page.keyboard.press('Home');
  await reads(readout(page), /: 0 accepted, 0 refused$/);
  await page.keyboard.press('Tab');
  await showsFocus(requests(page).locator('summary'));
  await reads(readout(page), /^Times are/);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await showsFocus(requests(page).getByRole('region', { name: 'Numbers by hour' }));
});

test('pointing at a bar tells its numbers, and leaving it the time zone again', async (t) => {
  const { key } = await ada.makeKey({ name: 'Pointed at' });
  await recordHours(dashboard, key.id, [{ hoursAgo: 6, accepted: 8, refused: 1 }]);
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await shows(page, '8', '1');
  const plot = await reader(page).boundingBox();
  assert.ok(plot);
  // Of 24 bars the last is the present hour.
  await page.mouse.move(plot.x + (plot.width * 17.5) / 24, plot.y + plot.height / 2);
  await reads(readout(page), /: 8 accepted, 1 refused$/);
  const before = await requests(page).boundingBox();
  await page.mouse.move(plot.x + plot.width / 2, plot.y + plot.height + 300);
  await reads(readout(page), /^Times are/);
  assert.deepEqual(await requests(page).boundingBox(), before, 'nothing moves');
});

test('a key that was never used says so and leads to the help; one that rests says since when', async (t) => {
  const { key } = await ada.makeKey({ name: 'Never used' });
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await reads(requests(page), /No program has used this key yet\. How to use it.*Last used Never/);
  await requests(page).getByRole('link', { name: 'How to use it' }).click();
  await isAt(page, '/help/authentication');

  const { key: resting } = await ada.makeKey({ name: 'Resting' });
  await recordLastUse(dashboard, resting.id, { at: Date.now() - 3 * 24 * 3_600_000 - 1000, agent: '' });
  await page.goto(`${dashboard.server.url}/settings/api/${resting.id}`);
  await reads(
    requests(page),
    /No requests in the last 24 hours\..*Last used 3 days ago From address 203\.0\.113\.7 With program It did not say/,
  );
});

test('a revoked key keeps its history, and its page counts what is refused since it was revoked', async (t) => {
  const { apiKey, key } = await ada.makeKey({ name: 'Ended' });
  await recordHours(dashboard, key.id, [{ hoursAgo: 5, accepted: 9, refused: 4 }]);
  await callApi(apiKey);
  await ada.revoke(key.id);
  assert.equal(await callApi(apiKey), 401);
  assert.equal(await callApi(apiKey), 401);
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await reads(requests(page), /Accepted 10 Refused, 2 of them since it was revoked 6 /);
  assert.equal(await page.locator('.chart__revoked').count(), 1, 'the moment is marked in the chart');
  await reads(heading(page), /^Ended$/);
  await isGone(page.getByRole('button', { name: 'Revoke key' }));
  await isGone(page.getByRole('button', { name: 'Edit limit' }));
});

test('while the numbers are on their way, everything has its final size and place', async (t) => {
  const { apiKey, key } = await ada.makeKey({ name: 'Slow' });
  await callApi(apiKey);
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  const held = Promise.withResolvers<void>();
  await page.route('**/usage?**', async (route) => {
    await held.promise;
    await route.continue();
  });
  await page.reload();
  await page.getByRole('button', { name: 'Edit limit' }).waitFor();
  await reads(requests(page).getByRole('status'), /^Loading requests$/);
  const loading = await requests(page).boundingBox();
  held.resolve();
  await shows(page, '1', '0');
  assert.deepEqual(await requests(page).boundingBox(), loading);
});

test('numbers that cannot be loaded are missed in words, and the rest of the page works', async (t) => {
  const { key } = await ada.makeKey({ name: 'Without numbers' });
  const page = await dashboard.open(t, '/settings/api', { expected: [answered(500)] });
  await page.route('**/usage?**', (route) => route.fulfill({ status: 500, json: {} }));
  await page.goto(`${dashboard.server.url}/settings/api/${key.id}`);
  await reads(requests(page).getByRole('alert'), /The server answered 500/);
  await reads(page.getByRole('main'), /Created by You/);
  await page.getByRole('button', { name: 'Rename' }).click();
  await page.getByRole('dialog').waitFor();
});

test('the list tells when each key was last used, exactly on hover and for the keyboard, in rows of one height', async (t) => {
  const { apiKey, key } = await ada.makeKey({ name: 'Listed used' });
  await ada.makeKey({ name: 'Listed unused' });
  await callApi(apiKey);
  const page = await dashboard.open(t, '/settings/api?q=Listed');
  const row = (name: string) =>
    page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
  await reads(row('Listed unused').getByRole('cell').nth(3), /^Never$/);
  const used = row('Listed used').getByRole('cell').nth(3).getByRole('time');
  await reads(used, /^just now/);
  const usage = usageSchema.parse((await ada.call('GET', `/v1/api-keys/${key.id}/usage`)).body);
  assert.equal(await used.getAttribute('datetime'), usage.lastUsed?.at);
  for (const name of ['Listed unused', 'Listed used']) {
    assert.equal((await row(name).boundingBox())?.height, 52);
  }
  await tabTo(page.getByRole('link', { name: 'Listed used' }));
  const exact = row('Listed used').locator('.when__exact');
  assert.equal((await texts(exact)).filter((text) => / CES?T$/.test(text)).length, 2);
  const [created, last] = [await exact.nth(0).boundingBox(), await exact.nth(1).boundingBox()];
  assert.ok(created && last && created.x + created.width <= last.x, 'side by side');
});

test('the name of a key leads from the list to its page, and the page needs no code of the list', async (t) => {
  const { key } = await ada.makeKey({ name: 'Led to' });
  const page = await dashboard.open(t, '/settings/api?q=Led');
  await settled(page);
  const chunks = () =>
    evaluate(
      page,
      z.array(z.string()),
      `performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => /KeyPage/.test(name))`,
    );
  assert.deepEqual(await chunks(), [], 'its code is not loaded before');
  await page.getByRole('link', { name: 'Led to' }).click();
  await isAt(page, `/settings/api/${key.id}`);
  await hasFocus(heading(page));
  await until(chunks, (names) => names.length === 1, 'one chunk of its own');
});
