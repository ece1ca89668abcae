/** Settings, Account, Email notifications, and the page of an unsubscribe link. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notificationSettingsSchema } from '@soku/contract/notifications';
import { outboxMails } from '../support/outbox.ts';
import { expectAccessible } from './accessibility.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import { waitUntil } from './expect.ts';

const dashboard = await Dashboard.inNewWorkspace();

test('a choice is saved at once, and a link in an email turns its kind off', async (t) => {
  const person = await dashboard.openSession();
  const stored = async () =>
    notificationSettingsSchema.parse((await person.call('GET', '/api/notifications')).body);
  const page = await dashboard.open(t, '/settings/account', {
    as: person,
    timezoneId: 'Europe/Berlin',
    expected: [httpErrorMessage(503)],
  });
  await page.getByText('emails are not sent').waitFor();
  const rotated = page.getByRole('checkbox', { name: /^Rotated keys/ });
  await rotated.focus();
  await page.keyboard.press('Space');
  await waitUntil(
    stored,
    ({ mails, timeZone }) => !mails.keyRotated && timeZone === 'Europe/Berlin',
    'both are stored',
  );
  await page.getByRole('combobox', { name: 'Time zone' }).selectOption('UTC');
  await waitUntil(stored, ({ timeZone }) => timeZone === 'UTC', 'the zone is stored');
  assert.equal(await rotated.isChecked(), false);
  await page.route('**/api/notifications', (route) =>
    route.request().method() === 'PUT' ? route.fulfill({ status: 503 }) : route.continue(),
  );
  await rotated.click();
  await page.getByRole('alert').filter({ hasText: /\S/ }).waitFor();
  await waitUntil(
    () => rotated.isChecked(),
    (checked) => !checked,
    'the stored choice is back',
  );
  await page.unroute('**/api/notifications');
  await expectAccessible(page);

  const { key } = await person.createKey({ name: 'Billing' });
  const [mail] = await outboxMails(dashboard.server, ({ text }) => text.includes(key.id));
  const link = mail?.headers.get('list-unsubscribe')?.slice(1, -1) ?? '';
  await page.goto(link);
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Turn off' }).click();
  await page.getByRole('heading', { name: 'Emails turned off' }).waitFor();
  assert.equal((await stored()).mails.keyCreated, false);
});
