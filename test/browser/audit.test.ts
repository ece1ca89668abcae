/** Settings > Audit log: entries, filters, export and untrusted text. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { auditEventSchema, auditPageSchema } from '@soku/contract/audit';
import type { Page } from 'playwright-core';
import { bearer, call } from '../support/person.ts';
import { runSql } from '../support/run-sql.ts';
import { expectAccessible, waitUntilLoaded } from './accessibility.ts';
import { Dashboard, httpErrorMessage, networkErrorMessage } from './dashboard.ts';
import { expectFocus, expectHidden, expectPath, expectText, readTexts, tabTo, waitUntil } from './expect.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada, server } = dashboard;

const agent = 'terraform/1.9';
const { apiKey, key } = await ada.createKey({ name: 'Terraform', scopes: ['keys:write'] });
await call(`${server.url}/v1/api-keys`, {
  method: 'POST',
  headers: { ...bearer(apiKey), 'user-agent': agent, 'x-forwarded-for': '203.0.113.7' },
  body: { name: 'Created by Terraform' },
});
const rename = (name: string) => ada.call('PATCH', `/v1/api-keys/${key.id}`, { name });
const renamed = await rename('Infrastructure');
/** An entry that does not refer to the key. */
await ada.call('PATCH', '/v1/workspace', { rateLimit: 500 });

const entries = (page: Page) => page.locator('.entry');
const toggle = (page: Page, name: string) =>
  page.getByRole('button', { name: new RegExp(`^${name}, `) }).first();
const filter = (page: Page, name: string) => page.getByRole('combobox', { name, exact: true });
const size = (page: Page) => page.locator('.list-foot').getByRole('status');
/** Waits until the log shows entries with these actions. */
const shows = (page: Page, actions: string[]) =>
  waitUntil(
    () => readTexts(page.locator('.entry__action code')),
    (shown) => shown.join() === actions.join(),
    `the log shows ${actions.join()}`,
  );

test('an entry shows time, action, actor, target and address, and expands to show the changes', async (t) => {
  const page = await dashboard.open(t, `/settings/audit?key=${key.id}`);
  await shows(page, ['key.updated', 'key.created', 'key.created']);
  const rows = await readTexts(page.locator('.entry > tr:first-child'));
  assert.match(
    rows[0] ?? '',
    /^\d+ \w+ \d{4} [\d:]+ CE?S?T Key changed key\.updated ada You Infrastructure Key [\d.:]+$/,
  );
  assert.match(
    rows[1] ?? '',
    /Key created key\.created Terraform Key Created by Terraform Key 203\.0\.113\.7$/,
  );
  const time = page.getByRole('time').first();
  assert.match((await time.getAttribute('title')) ?? '', /CE?S?T\n\d{4}-\d\d-\d\d [\d:]+ UTC$/);
  await toggle(page, 'Key changed').click();
  await expectText(page.locator('.changes tbody'), /^name Terraform Infrastructure$/);
  const requestId = renamed.headers.get('x-request-id') ?? '';
  await expectText(entries(page).first(), new RegExp(`Request ID ${requestId} Copy`));
  await page.getByRole('button', { name: 'Copy request ID' }).click();
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), requestId);
  await waitUntilLoaded(page);
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Infrastructure' }).first().click();
  await expectPath(page, `/settings/api/${key.id}`);
  await page.getByRole('link', { name: 'Activity' }).click();
  await page.getByRole('link', { name: 'Audit log for this key' }).click();
  await expectPath(page, `/settings/audit?key=${key.id}`);
});

test('filters are in the URL, Back restores the previous ones, and all can be cleared together', async (t) => {
  const page = await dashboard.open(t, '/settings/audit');
  await filter(page, 'Action').selectOption('Key created');
  await expectPath(page, '/settings/audit?action=key.created');
  await shows(page, ['key.created', 'key.created']);
  await expectText(size(page), /^2 entries$/);
  await filter(page, 'Actor').selectOption('Terraform');
  await expectPath(page, `/settings/audit?action=key.created&actor=${key.id}`);
  await shows(page, ['key.created']);
  await expectText(size(page), /^1 entry$/);
  await filter(page, 'Time').selectOption('Last 24 hours');
  await expectPath(page, `/settings/audit?action=key.created&actor=${key.id}&range=24h`);
  await page.reload();
  await shows(page, ['key.created']);
  assert.equal(await filter(page, 'Action').inputValue(), 'key.created');
  assert.equal(await filter(page, 'Actor').inputValue(), key.id);
  assert.equal(await filter(page, 'Time').inputValue(), '24h');
  await page.goBack();
  await page.goBack();
  await expectPath(page, '/settings/audit?action=key.created');
  await shows(page, ['key.created', 'key.created']);
  await page.getByRole('link', { name: 'Clear filters' }).click();
  await expectPath(page, '/settings/audit');
  await expectFocus(filter(page, 'Action'));
  await expectHidden(page.getByRole('link', { name: 'Clear filters' }));
  await toggle(page, 'Key changed').click();
  await page.getByRole('link', { name: 'Only this key' }).click();
  await expectPath(page, `/settings/audit?key=${key.id}`);
  assert.match(
    (await readTexts(filter(page, 'Key').locator('option:checked')))[0] ?? '',
    /^Infrastructure, sk_live_/,
  );
});

test('a period is entered in the time zone of the user and is in the URL in UTC', async (t) => {
  const page = await dashboard.open(t, '/settings/audit', { timezoneId: 'Asia/Kolkata' });
  await filter(page, 'Time').selectOption('Custom range…');
  await expectPath(page, '/settings/audit?range=custom');
  const [from, to] = [page.getByLabel('From', { exact: true }), page.getByLabel('To', { exact: true })];
  await from.fill('2020-01-02T03:04');
  await to.fill('2020-01-01T00:00');
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.getByText('Choose a time after "From".').waitFor();
  await expectFocus(to);
  await to.press('Backspace');
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.getByText('Enter a valid date and time, or clear the field.').waitFor();
  await to.fill('2020-01-02T03:04');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expectPath(
    page,
    `/settings/audit?since=${encodeURIComponent('2020-01-01T21:34:00.000Z')}&until=${encodeURIComponent('2020-01-01T21:35:00.000Z')}`,
  );
  await page.getByRole('heading', { name: 'No matching entries' }).waitFor();
  await expectFocus(page.getByRole('button', { name: 'Apply' }));
  await expectText(size(page), /^No entries$/);
  await page.goBack();
  assert.equal(await from.inputValue(), '');
  await page.goForward();
  await page.reload();
  assert.equal(await from.inputValue(), '2020-01-02T03:04');
  assert.equal(await to.inputValue(), '2020-01-02T03:04');
  await waitUntilLoaded(page);
  await expectAccessible(page);
  await page.getByRole('link', { name: 'Show all entries' }).click();
  await expectPath(page, '/settings/audit');
  await expectFocus(filter(page, 'Action'));
});

test('invalid filters in the address are dropped', async (t) => {
  const page = await dashboard.open(
    t,
    '/settings/audit?action=key.eaten&actor=%00&since=yesterday&key=x&range=1y',
  );
  await waitUntilLoaded(page);
  assert.ok((await entries(page).count()) > 3);
  assert.equal(await filter(page, 'Action').inputValue(), '');
});

test('the export contains the filtered entries in the format of the API', async (t) => {
  const page = await dashboard.open(t, `/settings/audit?key=${key.id}`);
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export these entries' }).click();
  const download = await downloading;
  assert.equal(download.suggestedFilename(), 'audit.jsonl');
  const lines = readFileSync(await download.path(), 'utf8')
    .trim()
    .split('\n');
  const exported = lines.map((line) => auditEventSchema.parse(JSON.parse(line)));
  const { data } = auditPageSchema.parse((await ada.call('GET', `/v1/audit?keyId=${key.id}`)).body);
  assert.deepEqual(exported, data);
});

test('a failed export and a failed list show the error and can be retried', async (t) => {
  const page = await dashboard.open(t, '/settings/audit', {
    expected: [httpErrorMessage(500), networkErrorMessage],
  });
  await waitUntilLoaded(page);
  const fail = { status: 500, json: { error: { ...failure, requestId: 'req_1' } } };
  await page.route('**/v1/audit?**', (route) => route.fulfill(fail));
  await page.getByRole('button', { name: 'Export' }).click();
  await expectText(page.locator('.audit-export').getByRole('alert'), /It broke\. Request ID req_1/);
  await page.reload();
  const list = page.getByRole('main').getByRole('alert').filter({ hasText: 'It broke.' });
  await list.first().waitFor();
  await page.unroute('**/v1/audit?**');
  await page.getByRole('button', { name: 'Try again' }).click();
  await waitUntilLoaded(page);
  assert.ok((await entries(page).count()) > 3);
});

const failure = {
  type: 'api_error',
  code: 'internal_error',
  message: 'It broke.',
  timestamp: '2030-01-31T12:00:00.000Z',
};

test('names, clients and fields are shown as text, cannot reorder the page and stay in their columns', async (t) => {
  const { key: hostile } = await ada.createKey({ name: '<img src=x onerror=alert(1)>'.padEnd(100, 'W') });
  const reversing = 'paypal\u202Egpj.exe\nnext';
  await dashboard.database(
    'UPDATE audit_event SET target_name = ?, user_agent = ?, details = ?, changes = ? WHERE target_id = ?',
    reversing,
    '<script>alert(1)</script>'.repeat(20),
    JSON.stringify({ '<b>field</b>': 'null' }),
    '{"not": JSON',
    hostile.id,
  );
  const page = await dashboard.open(t, `/settings/audit?key=${hostile.id}`);
  const entry = entries(page).first();
  await expectText(
    entry,
    /Key created key\.created Unreadable ada You paypal\\u\{202e\}gpj\.exe\\u\{a\}next Key/,
  );
  await toggle(page, 'Key created').click();
  await expectText(entry, /This entry was edited in the database\. Unreadable fields: changes/);
  await expectText(page.locator('.changes tbody'), /^<b>field<\/b> null$/);
  await expectText(entry, /Client (<script>alert\(1\)<\/script>){20}/);
  await waitUntilLoaded(page);
  await expectAccessible(page);
});

test('with the keyboard alone, an entry opens, and loading more focuses the first new entry', async (t) => {
  for (let n = 0; n < 60; n += 1) await rename(`Renamed ${n}`);
  const page = await dashboard.open(t, '/settings/audit?action=key.updated');
  await expectText(size(page), /^Newest 50 entries$/);
  const first = page.locator('.row-toggle').first();
  await tabTo(first);
  assert.equal(await first.getAttribute('aria-expanded'), 'false');
  await page.keyboard.press('Enter');
  await expectText(page.locator('.changes tbody'), /^name Renamed 58 Renamed 59$/);
  assert.equal(await first.getAttribute('aria-expanded'), 'true');
  const more = page.getByRole('button', { name: 'Load more' });
  await more.focus();
  await page.keyboard.press('Enter');
  await expectText(size(page), /^61 entries$/);
  await expectHidden(more);
  await expectFocus(page.locator('.row-toggle').nth(50));
  const ids = await runSql(server, "SELECT id FROM audit_event WHERE action = 'key.updated'");
  assert.equal(await entries(page).count(), ids.length);
});

test('a page that the browser translates keeps working', async (t) => {
  const page = await dashboard.open(t, `/settings/audit?key=${key.id}`, { translated: true });
  await filter(page, 'Action').selectOption('Key created');
  await expectPath(page, `/settings/audit?key=${key.id}&action=key.created`);
  await shows(page, ['key.created', 'key.created']);
  await toggle(page, 'Key created').click();
  await expectText(page.locator('.changes tbody'), /^scopes Empty expiresAt None/);
  await toggle(page, 'Key created').click();
  await expectHidden(page.locator('.changes'));
  await filter(page, 'Time').selectOption('Custom range…');
  await page.getByRole('button', { name: 'Apply' }).click();
  await filter(page, 'Action').selectOption('Password reset');
  await page.getByRole('heading', { name: 'No matching entries' }).waitFor();
  await expectText(size(page), /^No entries$/);
  await page.getByRole('link', { name: 'Clear filters' }).click();
  await expectText(size(page), /entries$/);
});
