/** The first start: the code from the log creates the owner, once. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import { expectFocus, expectPath, expectText, readDescription } from './expect.ts';
import { heading } from './key-pages.ts';

const dashboard = await Dashboard.start({ SOKU_OWNER_EMAIL: undefined, SOKU_OWNER_PASSWORD: undefined });
after(() => dashboard.stop());
await dashboard.server.printed('Set up Soku');
const [, code = ''] = /setup\?code=([\w-]+)/.exec(dashboard.server.output) ?? [];

const field = (page: Page, name: string) => page.getByRole('textbox', { name });

async function fillIn(page: Page): Promise<void> {
  await field(page, 'Your name').fill('Grace');
  await field(page, 'Email').fill('grace@example.com');
  await field(page, 'Password').fill('a long enough password');
}

const create = (page: Page) => page.getByRole('button', { name: 'Create account' }).click();

test('without an account, every page redirects to the setup page', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  await expectPath(page, '/setup');
  await expectText(heading(page), /^Set up Soku$/);
  await expectFocus(field(page, 'Setup code'));
  await page.goto(`${dashboard.server.url}/login`);
  await expectPath(page, '/setup');
});

test('a wrong code is reported at its field, and the input is kept', async (t) => {
  const page = await dashboard.open(t, '/setup?code=not-the-code', { expected: [httpErrorMessage(400)] });
  assert.equal(await field(page, 'Setup code').inputValue(), 'not-the-code');
  await fillIn(page);
  await create(page);
  await page.getByText('Is wrong or was already used.').waitFor();
  assert.match(await readDescription(field(page, 'Setup code')), /Is wrong or was already used\./);
  await expectFocus(field(page, 'Setup code'));
  assert.equal(await field(page, 'Your name').inputValue(), 'Grace');
  assert.equal(await field(page, 'Password').inputValue(), 'a long enough password');
});

test('missing and invalid values are reported at their fields before anything is sent', async (t) => {
  const page = await dashboard.open(t, `/setup?code=${code}`);
  await expectFocus(field(page, 'Your name'));
  await field(page, 'Email').fill('grace');
  await field(page, 'Password').fill('short');
  await create(page);
  await page.getByText('Must not be empty.').waitFor();
  assert.match(await readDescription(field(page, 'Your name')), /Must not be empty\./);
  assert.match(await readDescription(field(page, 'Email')), /Must be an email address\./);
  assert.match(await readDescription(field(page, 'Password')), /Must have at least 8 characters\./);
  await expectFocus(field(page, 'Your name'));
});

// Last, because the other tests need a server without an account.
test('the code creates the owner and signs them in, and works only once', async (t) => {
  const late = await dashboard.open(t, `/setup?code=${code}`, { expected: [httpErrorMessage(400)] });
  await fillIn(late);

  const page = await dashboard.open(t, `/setup?code=${code}`);
  await fillIn(page);
  await create(page);
  await expectPath(page, '/');
  await expectText(heading(page), /^Overview$/);
  await page.getByRole('button', { name: /Grace/ }).waitFor();
  await page.goto(`${dashboard.server.url}/setup?code=${code}`);
  await expectPath(page, '/');

  await create(late);
  await late.getByText('Is wrong or was already used.').waitFor();
  await late.reload();
  await expectPath(late, '/login');
  await field(late, 'Email').fill('grace@example.com');
  await field(late, 'Password').fill('a long enough password');
  await late.keyboard.press('Enter');
  await expectPath(late, '/');
});
