/** The page of a key: why requests were rejected, and who changed what. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { bearer, call } from '../support/person.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import { expectFocus, expectPath, expectText, readTexts, waitUntil } from './expect.ts';
import { heading } from './key-pages.ts';
import { recordHours } from './recorded-usage.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

const section = (page: Page, title: string) =>
  page.locator('section').filter({ has: page.getByRole('heading', { name: title }) });
const moreEntries = (page: Page) => page.getByRole('button', { name: 'Load more' });
/** Waits until the list shows entries with these actions. */
const shows = (page: Page, actions: string[]) =>
  waitUntil(
    () => readTexts(page.locator('.entry__action code')),
    (shown) => shown.join() === actions.join(),
    `the activity shows ${actions.join()}`,
  );

test('rejections are listed by reason for the chosen range, and link to their explanation', async (t) => {
  const { key } = await ada.createKey({ name: 'Rejected' });
  await recordHours(dashboard, key.id, [
    { hoursAgo: 1, accepted: 1, refused: 3, code: 'insufficient_scope' },
    { hoursAgo: 2, accepted: 0, refused: 20, code: 'rate_limited' },
    { hoursAgo: 50, accepted: 0, refused: 1100, code: 'a_later_code' },
  ]);
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  const reasons = section(page, 'Rejected by reason').getByRole('listitem');
  await expectText(reasons, /^Rate limit 20 \| Missing scope 3$/);
  await page.getByRole('link', { name: '7 days' }).click();
  await expectText(reasons, /^A later code 1,100 \| Rate limit 20 \| Missing scope 3$/);
  await reasons.getByRole('link', { name: 'Missing scope' }).click();
  await expectPath(page, '/help/api-troubleshooting#insufficient_scope');

  const { key: fine } = await ada.createKey({ name: 'Never rejected' });
  await page.goto(`${dashboard.server.url}/settings/api/${fine.id}`);
  await expectText(reasons, /^None in the last 24 hours\.$/);
});

test('while a node of an earlier version responds, without newer fields, the numbers are shown', async (t) => {
  const { key } = await ada.createKey({ name: 'During an update' });
  await recordHours(dashboard, key.id, [{ hoursAgo: 1, accepted: 5, refused: 3 }]);
  const page = await dashboard.open(t, '/healthz');
  await page.route('**/usage?**', async (route) => {
    const response = await route.fetch();
    const body = z.record(z.string(), z.unknown()).parse(await response.json());
    const { refusedBy: _, secrets: __, ...earlier } = body;
    await route.fulfill({ response, json: earlier });
  });
  await page.goto(`${dashboard.server.url}/settings/api/${key.id}`);
  await expectText(section(page, 'Requests'), /Accepted 5 /);
  await expectText(section(page, 'Rejected by reason').getByRole('listitem'), /^Rate limit 3$/);
});

test('the activity lists what was done to the key and what it did, by day, and nothing of other keys', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'Active one', scopes: ['keys:write'] });
  await call(`${dashboard.server.url}/v1/api-keys`, {
    method: 'POST',
    headers: { ...bearer(apiKey), 'user-agent': 'terraform/1.9' },
    body: { name: 'Created with it' },
  });
  await ada.createKey({ name: 'Unrelated' });
  await ada.call('PATCH', `/v1/api-keys/${key.id}`, { name: 'Active two' });
  const page = await dashboard.open(t, `/settings/api/${key.id}?tab=activity`);
  await shows(page, ['key.updated', 'key.created', 'key.created']);
  const rows = await readTexts(page.locator('.entry > tr:first-child'));
  assert.match(rows[0] ?? '', /^[\d:]+ CES?T Key changed key\.updated ada You Active two Key [\d.:]+$/);
  assert.match(rows[1] ?? '', /Key created key\.created Active one Key Created with it Key [\d.:]+$/);
  const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeZone: 'Europe/Berlin' });
  const days = await readTexts(page.locator('.entries__day'));
  // Shortly after midnight, the events may be of two days.
  assert.equal(days[0], day.format(Date.now()));
  await expectText(page.locator('.list-foot'), /^3 entries$/);
  assert.ok(!(await page.content()).includes(apiKey));

  await page.getByRole('button', { name: 'Key created, Created with it' }).click();
  await page.getByRole('link', { name: 'Only this actor' }).click();
  await expectPath(page, `/settings/audit?key=${key.id}&actor=${key.id}`);
  await page.goBack();
  await page.getByRole('link', { name: 'Audit log for this key' }).click();
  await expectPath(page, `/settings/audit?key=${key.id}`);
});

test('a long activity is loaded in pages, and its days are not repeated', async (t) => {
  const { key } = await ada.createKey({ name: 'Busy' });
  for (let n = 0; n < 51; n += 1) await ada.call('PATCH', `/v1/api-keys/${key.id}`, { name: `Busy ${n}` });
  const page = await dashboard.open(t, `/settings/api/${key.id}?tab=activity`);
  await expectText(page.locator('.list-foot'), /^Newest 50 entries Load more$/);
  await moreEntries(page).focus();
  await page.keyboard.press('Enter');
  await expectText(page.locator('.list-foot'), /^52 entries$/);
  await expectFocus(page.locator('.row-toggle').nth(50));
  const days = await readTexts(page.locator('.entries__day'));
  assert.equal(new Set(days).size, days.length);
});

test('an activity that cannot be loaded shows the error, and can be loaded again', async (t) => {
  const { key } = await ada.createKey({ name: 'Hidden activity' });
  const page = await dashboard.open(t, '/healthz', { expected: [httpErrorMessage(500)] });
  await page.route('**/v1/audit?**', (route) => route.fulfill({ status: 500, json: {} }));
  await page.goto(`${dashboard.server.url}/settings/api/${key.id}?tab=activity`);
  await expectText(page.getByRole('alert').filter({ hasText: '500' }), /The server responded with 500/);
  await page.unrouteAll();
  await page.getByRole('button', { name: 'Try again' }).click();
  await shows(page, ['key.created']);
});

test('after a change to another key, the page never shows the numbers of the first one', async (t) => {
  const { key: first } = await ada.createKey({ name: 'First of two' });
  const { key: second } = await ada.createKey({ name: 'Second of two' });
  await recordHours(dashboard, first.id, [{ hoursAgo: 1, accepted: 77 }]);
  const page = await dashboard.open(t, `/settings/api/${second.id}`);
  await expectText(heading(page), /^Second of two$/);
  await page.goto(`${dashboard.server.url}/settings/api/${first.id}`);
  await expectText(section(page, 'Requests'), /Accepted 77 /);
  const held = Promise.withResolvers<void>();
  await page.route('**/usage?**', async (route) => {
    await held.promise;
    await route.continue();
  });
  await page.getByRole('link', { name: 'Second of two' }).click();
  await expectText(heading(page), /^Second of two$/);
  await expectText(section(page, 'Requests').getByRole('status'), /^Loading requests$/);
  assert.ok(!(await readTexts(section(page, 'Requests'))).join().includes('77'));
  held.resolve();
  await expectText(section(page, 'Requests'), /Accepted 0 /);
});
