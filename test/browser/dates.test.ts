/** Dates in the user's time zone, and local times that are skipped or occur twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dashboard } from './dashboard.ts';
import { expectFocus, expectHidden, expectText, readDescription, waitUntil } from './expect.ts';
import * as keys from './key-pages.ts';
import { recordHours } from './recorded-usage.ts';

const dashboard = await Dashboard.shared();
const { ada } = dashboard;

const hour = 3_600_000;

test('"tomorrow" is the next calendar day and changes to hours while the page stays open', async (t) => {
  const { key } = await ada.createKey({ name: 'Soon over', expiresAt: '2031-03-31T10:00:00Z' });
  const page = await dashboard.open(t, '/healthz', { timezoneId: 'Europe/Berlin' });
  // 12:00 on the day before a day of 23 hours. The key expires at 12:00 on the day after it.
  await page.clock.install({ time: Date.parse('2031-03-29T11:00:00Z') });
  await page.goto(`${dashboard.server.url}/settings/api/${key.id}?tab=access`);
  const expires = page.locator('.fact').filter({ hasText: 'Expires' }).locator('.fact__value');
  await expectText(expires, /31 Mar 2031, 12:00:00 CEST \(in 2 days\)$/);
  await page.clock.fastForward(13 * hour);
  await expectText(expires, /\(tomorrow\)$/);
  await page.clock.fastForward(23 * hour);
  await expectText(expires, /\(in 10 hours\)$/);
});

test('the 7-day chart has a tick for each day, including a day without a midnight', async (t) => {
  const { key } = await ada.createKey({ name: 'In Havana' });
  await recordHours(dashboard, key.id, [{ hoursAgo: 1, accepted: 3 }]);
  const page = await dashboard.open(t, '/healthz', { timezoneId: 'America/Havana' });
  const first = Date.parse('2026-03-04T00:00:00Z');
  await page.route('**/usage/history?**', async (route) => {
    const response = await route.fetch();
    const usage: { periods: Array<{ from: string; to: string }> } = await response.json();
    for (const [index, period] of usage.periods.entries()) {
      period.from = new Date(first + index * hour).toISOString();
      period.to = new Date(first + (index + 1) * hour).toISOString();
    }
    await route.fulfill({ response, json: usage });
  });
  await page.goto(`${dashboard.server.url}/settings/api/${key.id}?range=7d`);
  const ticks = page.locator('.chart__tick');
  const days = await waitUntil(
    () => ticks.allInnerTexts(),
    (all) => all.length > 0,
    'the chart has ticks',
  );
  assert.deepEqual(
    days.map((day) => /\d+/.exec(day)?.[0]),
    ['4', '5', '6', '7', '8', '9', '10'],
  );
});

test('a skipped hour is rejected with an explanation, which a corrected time clears', async (t) => {
  const page = await dashboard.open(t, '/settings/api?panel=generate', { timezoneId: 'Europe/Berlin' });
  await keys.nameField(page).fill('Expires at night');
  await keys.dialog(page).getByText('Scopes, expiration and other options').click();
  await keys.dialog(page).getByRole('combobox', { name: 'Expires' }).selectOption('Custom date and time…');
  const date = keys.dialog(page).getByLabel('Date and time');
  await date.fill('2031-03-30T02:30');
  await keys.createButton(page).click();
  const problem = keys.dialog(page).getByText('02:30 does not exist on 30 Mar 2031');
  await problem.waitFor();
  assert.match(await readDescription(date), /when clocks go forward\. Choose another time\./);
  await expectFocus(date);
  await date.fill('2031-10-26T02:30');
  await expectHidden(problem);
  assert.equal(await date.getAttribute('aria-invalid'), null);
  assert.match(
    await readDescription(date),
    /02:30:00 CEST \(2031-10-26 00:30:00 UTC\)\. This time occurs twice; the first one is used\./,
  );
  await keys.createButton(page).click();
  await keys.readShownKey(page);
  await keys.copyAndClose(page);
  const { body } = await ada.call('GET', '/v1/api-keys?q=Expires%20at%20night');
  assert.match(JSON.stringify(body), /"expiresAt":"2031-10-26T00:30:00\.000Z"/);
});

test('editing a name clears its problem', async (t) => {
  const page = await dashboard.open(t, '/settings/api?panel=generate');
  await keys.createButton(page).click();
  await page.getByText('Must not be empty.').waitFor();
  await keys.nameField(page).fill('A');
  await expectHidden(page.getByText('Must not be empty.'));
});
