/** Every dialog and popover in every state is accessible in both themes and on a small screen. */
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { expectAccessible, waitUntilLoaded } from './accessibility.ts';
import { Dashboard, httpErrorMessage, networkErrorMessage } from './dashboard.ts';
import { expectHidden, expectText } from './expect.ts';
import * as keys from './key-pages.ts';
import { recordHours, recordLastUse } from './recorded-usage.ts';
import { graceField, rotate, rotateButton } from './rotating.ts';
import { serverError } from './server-error.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { key } = await dashboard.ada.createKey({ name: 'Under the dialogs' });
const { key: revoked } = await dashboard.ada.createKey({ name: 'Revoked before' });
await dashboard.ada.revoke(revoked.id);
const { key: before } = await dashboard.ada.createKey({ name: 'Rotated under the dialogs' });
const { key: rotated } = await rotate(dashboard, before.id, { graceSeconds: 3600 });
await recordHours(dashboard, key.id, [
  { hoursAgo: 0, accepted: 3 },
  { hoursAgo: 1, accepted: 5, refused: 2 },
]);
await recordLastUse(dashboard, key.id, {
  at: Date.now() - 5000,
  address: '2001:db8:1234:5678:9abc:def0:1234:5678',
});

interface State {
  what: string;
  path: string;
  /** Brings the open page into the state. */
  reach: (page: Page) => Promise<unknown>;
  /** States that the page reaches from there, one after another. A page that is opened again takes longer. */
  next?: Record<string, (page: Page) => Promise<unknown>>;
  expected?: RegExp[];
}

const states: State[] = [
  {
    what: 'the form for a new key',
    path: '/settings/api?panel=generate',
    expected: [httpErrorMessage(500)],
    reach: (page) => keys.nameField(page).waitFor(),
    next: {
      'a failure while a key is created': async (page) => {
        await page.route('**/v1/api-keys', (route) => route.fulfill(serverError));
        await keys.nameField(page).fill('Failed for axe');
        await keys.createButton(page).click();
        await expectText(keys.dialog(page).getByRole('alert'), /req_fromatest/);
      },
      'the expanded form with a problem': async (page) => {
        await keys.dialog(page).getByText('Scopes, expiration and other options').click();
        await keys
          .dialog(page)
          .getByRole('combobox', { name: 'Expires' })
          .selectOption('Custom date and time…');
        await keys.createButton(page).click();
        await keys.dialog(page).getByText('Choose a date and time.').waitFor();
      },
    },
  },
  {
    what: 'the form for a rotation',
    path: `/settings/api/${key.id}?panel=rotate`,
    reach: (page) => graceField(page).waitFor(),
    next: {
      'the form for a rotation at once': (page) =>
        graceField(page).selectOption('Not at all: it stops working now'),
      'the form for a rotation with a problem': async (page) => {
        await graceField(page).selectOption('Custom…');
        await rotateButton(page).click();
        await keys.dialog(page).getByText('Enter the number of hours.').waitFor();
      },
    },
  },
  {
    what: 'the question whether to disable a key',
    path: `/settings/api/${key.id}?panel=disable`,
    reach: (page) =>
      keys
        .alertDialog(page)
        .getByRole('button', { name: /^Disable/ })
        .waitFor(),
  },
  {
    what: 'the question whether to retire a secret',
    path: `/settings/api/${rotated.id}?tab=secrets&panel=retire&secret=${rotated.secrets[1]?.id}`,
    reach: (page) => keys.alertDialog(page).getByRole('button', { name: 'Retire secret' }).waitFor(),
  },
  {
    what: 'the key that is shown once',
    path: '/settings/api',
    reach: (page) => keys.generate(page, 'Shown to axe'),
    next: {
      'the confirmation before a key is lost': async (page) => {
        await keys.doneButton(page).click();
        await keys.alertDialog(page).waitFor();
      },
      'the blocked clipboard': async (page) => {
        await keys.alertDialog(page).getByRole('button', { name: 'Back to the key' }).click();
        await expectHidden(keys.alertDialog(page));
        await page.evaluate(
          'navigator.clipboard.writeText = () => Promise.reject(new Error()); document.execCommand = () => false; undefined',
        );
        await keys.copyButton(page).click();
        await expectText(keys.dialog(page), /The browser blocked the clipboard/);
      },
      'the key that was copied and tested': async (page) => {
        await page.evaluate('delete navigator.clipboard.writeText; delete document.execCommand');
        await keys.copyButton(page).click();
        await page.getByRole('button', { name: 'Test key' }).click();
        await expectText(keys.dialog(page), /200: the key works/);
        await page.getByRole('tab', { name: 'Python' }).click();
      },
    },
  },
  {
    what: 'the lost response',
    path: '/settings/api?panel=generate',
    expected: [networkErrorMessage, httpErrorMessage(409)],
    reach: async (page) => {
      await page.route(
        '**/v1/api-keys',
        async (route) => {
          await route.fetch();
          await route.abort();
        },
        { times: 1 },
      );
      await keys.nameField(page).fill('Lost for axe');
      await keys.createButton(page).click();
      await keys
        .dialog(page)
        .getByText(/the response that contains it was lost/)
        .waitFor();
    },
  },
  {
    what: 'renaming',
    path: `/settings/api?panel=rename&key=${key.id}`,
    reach: (page) => keys.nameField(page).waitFor(),
  },
  {
    what: 'the rate limit of a key with a problem',
    path: `/settings/api/${key.id}?panel=limit`,
    reach: async (page) => {
      await page.getByRole('combobox', { name: 'Rate limit' }).selectOption('Custom limit…');
      await page.getByRole('button', { name: 'Save limit' }).click();
      await page.getByText('Enter the number of requests per minute.').waitFor();
    },
  },
  {
    what: 'the default rate limit',
    path: '/settings/api?panel=limit',
    reach: (page) => keys.dialog(page).getByRole('combobox').waitFor(),
  },
  {
    what: 'the numbers of a chart with a selected bar',
    path: `/settings/api/${key.id}`,
    reach: async (page) => {
      await page.getByText('Requests by hour').click();
      await page.getByRole('slider').press('ArrowLeft');
      await page.locator('.chart__band').waitFor();
    },
  },
  {
    what: 'revoking',
    path: `/settings/api?panel=revoke&key=${key.id}`,
    reach: (page) => keys.confirmRevoke(page, key.name).waitFor(),
  },
  {
    what: 'revoking a revoked key',
    path: `/settings/api?panel=revoke&key=${revoked.id}`,
    reach: (page) =>
      keys.alertDialog(page).getByRole('heading', { name: 'This key is already revoked' }).waitFor(),
  },
  {
    what: 'the new password with problems',
    path: '/settings/account?panel=password',
    reach: async (page) => {
      await keys.dialog(page).getByRole('textbox', { name: 'New password' }).fill('short');
      await page.keyboard.press('Enter');
      await keys.dialog(page).getByText('Must have at least 8 characters.').waitFor();
    },
  },
  {
    what: 'signing out everywhere else',
    path: '/settings/account?panel=end-others',
    reach: (page) => keys.alertDialog(page).waitFor(),
  },
  {
    what: 'signing out everywhere',
    path: '/settings/account?panel=end-all',
    reach: (page) => keys.alertDialog(page).waitFor(),
  },
  {
    what: 'the account menu',
    path: '/help/authentication',
    reach: async (page) => {
      await page.getByRole('button', { name: /^Account menu/ }).click();
      await page.getByRole('button', { name: 'Sign out' }).waitFor();
    },
  },
  {
    what: 'the toast after a change',
    path: '/settings/account',
    reach: async (page) => {
      await page.getByRole('button', { name: 'Save name' }).click();
      await keys.toast(page).waitFor();
    },
  },
  {
    what: 'the banner of an offline page',
    path: '/settings/api',
    expected: [networkErrorMessage],
    reach: async (page) => {
      await page.context().setOffline(true);
      await page.locator('.offline').waitFor();
    },
  },
];

for (const { what, path, reach, next = {}, expected = [] } of states) {
  const steps = Object.entries({ [what]: reach, ...next });
  const all = steps.map(([state]) => state).join('; ');
  test(`no axe violations in either theme or on a small screen, and no scrolling sideways: ${all}`, async (t) => {
    const page = await dashboard.open(t, path, { expected });
    await waitUntilLoaded(page);
    for (const [state, step] of steps) {
      await step(page);
      await expectAccessible(page, { state });
    }
  });
}

test('the sign-in dialog over another dialog has no axe violations', async (t) => {
  const person = await dashboard.openSession();
  const page = await dashboard.open(t, '/settings/api?panel=generate', {
    as: person,
    expected: [httpErrorMessage(401)],
  });
  await waitUntilLoaded(page);
  await dashboard.database('DELETE FROM session WHERE token = ?', person.storedToken);
  await keys.nameField(page).fill('Session over for axe');
  await keys.createButton(page).click();
  await keys.dialog(page).getByRole('heading', { name: 'Your session has ended' }).waitFor();
  await expectAccessible(page);
});
