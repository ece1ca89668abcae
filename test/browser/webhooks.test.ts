/** Settings > Webhooks: URLs that receive the events of a workspace, and the log of their deliveries. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { webhookListSchema } from '@soku/contract/webhooks';
import type { Page } from 'playwright-core';
import { newId } from '../../packages/server/src/ids.ts';
import { runSql } from '../support/run-sql.ts';
import { verifyWebhook, WebhookReceiver } from '../support/webhook-receiver.ts';
import { expectAccessible } from './accessibility.ts';
import { Dashboard, httpErrorMessage, networkErrorMessage } from './dashboard.ts';
import {
  expectFocus,
  expectHidden,
  expectPath,
  expectText,
  readClipboard,
  tabTo,
  waitUntil,
} from './expect.ts';
import { activeChoice, openJump } from './jump-pages.ts';
import { alertDialog, copyButton, dialog, doneButton, heading } from './key-pages.ts';
import { expectToast } from './toasts.ts';
import { addQuietWebhook, button, holdResponse, secretField } from './webhook-pages.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada, server } = dashboard;
const receiver = await WebhookReceiver.start();
after(() => receiver.close());

const urlField = (page: Page) => dialog(page).getByRole('textbox', { name: 'URL' });
const rows = (page: Page) => page.locator('.delivery > tr:first-child');
const details = (page: Page) => page.locator('.delivery-details');

const addWebhook = async (path: string) => addQuietWebhook(ada, receiver.url + path);

async function listWebhooks() {
  return webhookListSchema.parse((await ada.call('GET', '/v1/webhooks')).body).data;
}

async function onlyRequest(path: string) {
  const [request] = await receiver.whenReceived(path, 1);
  assert.ok(request);
  return request;
}

test('a webhook is added with the keyboard, its secret is shown once, and a test event arrives', async (t) => {
  const page = await dashboard.open(t, '/settings/account', { expected: [httpErrorMessage(400)] });
  await openJump(page);
  await page.keyboard.type('endpoints');
  await expectText(activeChoice(page), /^Webhooks Settings$/);
  await page.keyboard.press('Enter');
  await expectPath(page, '/settings/webhooks');
  await page.getByRole('heading', { name: 'No webhooks yet' }).waitFor();
  await expectText(
    page.getByRole('navigation', { name: 'Settings' }).locator('[aria-current]'),
    /^Webhooks$/,
  );
  await expectAccessible(page);

  await tabTo(button(page, 'Add your first webhook'));
  await page.keyboard.press('Enter');
  await expectPath(page, '/settings/webhooks?panel=add');
  for (const [url, problem] of [
    ['example', /Must be a URL\./],
    ['http://example.com/', /Must start with https:\/\//],
    ['https://10.0.0.7/', /Must have a public address/],
  ] as const) {
    await expectFocus(urlField(page));
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type(url);
    await page.keyboard.press('Enter');
    await expectText(dialog(page).locator('.field__problem'), problem);
  }
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type(`${receiver.url}/added`);
  await page.keyboard.press('Tab');
  await page.keyboard.type('Ops');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expectText(dialog(page).getByRole('alert'), /Must have at least one event\./);
  await expectFocus(dialog(page).getByRole('checkbox', { name: 'Key created' }));
  await page.keyboard.press('Space');
  await expectAccessible(page, { state: 'the choice of events' });
  await tabTo(dialog(page).getByRole('button', { name: 'Add webhook' }));
  await page.keyboard.press('Enter');

  await expectFocus(copyButton(page));
  const secret = await secretField(page).inputValue();
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  await expectAccessible(page, { state: 'the signing secret' });
  await page.keyboard.press('Escape');
  await expectText(alertDialog(page), /You have not copied this secret/);
  await page.keyboard.press('Enter');
  await expectHidden(alertDialog(page));
  await tabTo(copyButton(page), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await page.getByText('Copied. The full secret is on the clipboard.').waitFor();
  assert.equal(await readClipboard(page), secret);
  await tabTo(doneButton(page));
  const loadPage = await holdResponse(page, '**/WebhookPage-*.js');
  await page.keyboard.press('Enter');
  await expectHidden(dialog(page));
  assert.ok(
    !(await page.content()).includes(secret.slice(6)),
    'the secret is gone before the next page is loaded',
  );
  await loadPage();
  const [webhook] = await listWebhooks();
  assert.deepEqual([webhook?.description, webhook?.events], ['Ops', ['key.created']]);
  await expectPath(page, `/settings/webhooks/${webhook?.id}`);
  await expectFocus(page.getByRole('heading', { name: 'Ops' }));
  assert.ok(!(await page.content()).includes(secret.slice(6)), 'the page does not hold the secret');

  await tabTo(button(page, 'Send test event'));
  await page.keyboard.press('Enter');
  await expectToast(page, /^Test event queued\. Its delivery is listed below\.$/);
  await expectText(rows(page), /^Test event webhook\.test .* Delivered 204 in \d+ ms 1 .*None$/);
  const request = await onlyRequest('/added');
  verifyWebhook(secret, request);
  await tabTo(rows(page).getByRole('button'));
  await page.keyboard.press('Enter');
  await expectText(details(page), /"text": "This is a test event\."/);
  for (const name of ['webhook-id', 'webhook-timestamp'] as const)
    await details(page).getByText(`${name}: ${request.headers[name]}`).waitFor();
  await details(page).getByText('The body is empty.').waitFor();
  await page.goBack();
  await expectPath(page, '/settings/webhooks');
  await expectText(page.locator('tbody tr'), /^Ops http:\/\/127\.0\.0\.1:\d+\/added Key created Active$/);
});

test('a failing delivery shows its response and is sent again; the list follows without a reload', async (t) => {
  receiver.respond = (_request, response) => void response.writeHead(503).end('{"error":"queue full"}');
  const { id } = await addWebhook('/down');
  const page = await dashboard.open(t, `/settings/webhooks/${id}`);
  await page.getByRole('heading', { name: 'No deliveries yet' }).waitFor();
  await button(page, 'Send test event').click();
  await expectText(rows(page), /Will be retried 503 in \d+ ms \d in (a moment|\d minutes)$/);
  await dashboard.database(
    'UPDATE webhook_delivery SET next_attempt_at = NULL, lease_until = NULL, ended_at = attempted_at, attempts = 10 WHERE webhook_id = ?',
    id,
  );
  await page.locator('.page-head').getByText('Failing').waitFor();
  await expectText(
    page.locator('.notice--warn'),
    /All attempts have failed since .* the webhook is disabled\./,
  );
  await page.getByText('Failed', { exact: true }).first().click();
  await expectPath(page, `/settings/webhooks/${id}?status=failed`);
  await expectText(rows(page), / Failed 503 in \d+ ms 10 .*None$/);
  await rows(page).getByRole('button').click();
  await expectText(
    details(page),
    /The receiver responded with 503 instead of 2xx\. .*\{"error":"queue full"\}/,
  );
  await expectAccessible(page, { wide: true, state: 'a failed delivery' });

  receiver.respond = (_request, response) => void response.writeHead(200).end('thanks,\n\u202esknaht');
  await tabTo(button(page, 'Redeliver'));
  await page.keyboard.press('Enter');
  await expectToast(page, /^Queued again\. It is sent in a moment\.$/);
  await page.getByRole('heading', { name: 'No failed deliveries' }).waitFor();
  await expectFocus(heading(page));
  await page.getByText('All', { exact: true }).first().click();
  await expectText(rows(page), / Delivered 200 in \d+ ms 1 .*None$/);
  await page.locator('.page-head').getByText('Active').waitFor();
  await rows(page).getByRole('button').click();
  await expectText(details(page), /thanks, \\u\{202e\}sknaht/);
  await details(page).getByRole('button', { name: 'Copy body of the response' }).click();
  assert.equal(await readClipboard(page), 'thanks,\n\u202esknaht', 'the original is copied');
  const requests = await receiver.whenReceived('/down', 2);
  assert.equal(new Set(requests.map((request) => request.id)).size, 1, 'the same webhook-id');

  await button(page, 'Redeliver').click();
  await expectToast(page, /^Queued again\. It is sent in a moment\.$/);
  // In Safari, a click does not focus a radio button, so the focus is lost with the row.
  await page.getByRole('radio', { name: 'Failed' }).evaluate((radio) => radio.click());
  await page.getByRole('heading', { name: 'No failed deliveries' }).waitFor();
  assert.equal(await page.evaluate('document.activeElement === document.body'), true, 'the focus stays');
  await page.getByText('All', { exact: true }).first().click();
  await rows(page).waitFor();

  // Enough for a second page.
  const at = Date.now();
  for (let n = 0; n < 25; n++)
    await runSql(
      server,
      `INSERT INTO webhook_delivery (id, webhook_id, type, body, created_at, attempts)
       VALUES (?, ?, 'webhook.test', '{}', CAST(? AS bigint), 1) RETURNING 1`,
      newId('whd_', at + n),
      id,
      String(at),
    );
  await page.reload();
  await page.getByText('Newest 20 deliveries').waitFor();
  await button(page, 'Load more').click();
  await page.getByText('26 deliveries', { exact: true }).waitFor();
  await expectFocus(page.locator('.row-toggle').nth(20));
});

test('a webhook is edited, rotated with an overlap, disabled, enabled and deleted', async (t) => {
  receiver.respond = (_request, response) => void response.writeHead(204).end();
  const { id, secret: first } = await addWebhook('/life');
  const page = await dashboard.open(t, `/settings/webhooks/${id}`);
  const head = page.locator('.page-head');
  await button(page, 'Edit').click();
  await dialog(page).getByRole('textbox', { name: 'Description' }).fill('Life');
  await dialog(page).getByText('All events').click();
  await dialog(page).getByRole('button', { name: 'Save' }).click();
  await expectToast(page, /^Saved\. The next request uses it\.$/);
  await expectText(heading(page), /^Life$/);
  await expectText(
    page.locator('.webhook-facts'),
    /^Events All events, including those that later versions add /,
  );
  await ada.call('PATCH', `/v1/webhooks/${id}`, { events: ['audit.pruned'] });

  await button(page, 'Rotate secret').click();
  await expectText(dialog(page), /Until .*, each request has a signature of both secrets/);
  await dialog(page).getByRole('button', { name: 'Rotate secret' }).click();
  const second = await secretField(page).inputValue();
  assert.notEqual(second, first);
  await expectText(dialog(page), /Until .*, requests are also signed with the older one\./);
  await copyButton(page).click();
  await doneButton(page).click();
  await expectPath(page, `/settings/webhooks/${id}`);
  await expectText(page.locator('.webhook-facts'), /An older one also signs requests until /);

  await button(page, 'Disable').click();
  await expectText(alertDialog(page), /Its events wait/);
  await alertDialog(page).getByRole('button', { name: 'Disable' }).click();
  await expectToast(page, /^Disabled\./);
  await head.getByText('Disabled').waitFor();
  await button(page, 'Send test event').click();
  await expectText(rows(page).first(), / Waiting .* When enabled$/);
  await expectAccessible(page, { state: 'a disabled webhook' });
  await button(page, 'Enable').click();
  await alertDialog(page).getByRole('button', { name: 'Enable' }).click();
  await head.getByText('Active').waitFor();
  await expectText(page.locator('.deliveries'), /Test event webhook\.test [^|]* Delivered 204/);
  // Other events may be delivered first.
  const testEvent = () =>
    receiver.received.find(({ path, payload }) => path === '/life' && payload.type === 'webhook.test');
  await waitUntil(
    async () => testEvent() !== undefined,
    (arrived) => arrived,
    'the test event arrives',
  );
  const request = testEvent();
  assert.ok(request);
  for (const secret of [first, second]) verifyWebhook(secret, request);

  await button(page, 'Delete').click();
  await expectFocus(alertDialog(page).getByRole('button', { name: 'Cancel' }));
  await expectAccessible(page, { state: 'the confirmation' });
  await alertDialog(page).getByRole('button', { name: 'Delete webhook' }).click();
  await expectPath(page, '/settings/webhooks');
  await expectToast(page, /Life.*Deleted\.$/);
  await expectFocus(heading(page));
  assert.ok(!(await listWebhooks()).some((webhook) => webhook.id === id));
  await expectHidden(page.locator('tbody tr', { hasText: /^Life/ }));
});

test('if the response to a rotation is lost, the dialog reports it', async (t) => {
  const { id } = await addWebhook('/lost');
  const page = await dashboard.open(t, `/settings/webhooks/${id}`, { expected: [networkErrorMessage] });
  await button(page, 'Rotate secret').click();
  await page.route('**/rotate-secret', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await dialog(page).getByRole('button', { name: 'Rotate secret' }).click();
  await expectText(
    dialog(page).getByRole('alert'),
    /The response was lost, so the secret may have been rotated\./,
  );
  await page.unroute('**/rotate-secret');
  await dialog(page).getByRole('button', { name: 'Rotate secret' }).click();
  await secretField(page).waitFor();
  await page.goBack();
  await expectText(alertDialog(page), /You have not copied this secret/);
  await alertDialog(page).getByRole('button', { name: 'Close without copying' }).click();
  await expectPath(page, `/settings/webhooks/${id}`);
  await expectText(page.locator('.webhook-facts'), /(An older one also signs requests until .*){2}/);
});
