/** M1: the login leads to the requested page, and never to another site. */
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { owner } from '../support/server.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import { expectFocus, expectPath, expectText } from './expect.ts';
import { heading } from './key-pages.ts';

const dashboard = await Dashboard.start();
after(() => dashboard.stop());

const openSignedOut = (t: TestContext, path: string, expected: RegExp[] = []) =>
  dashboard.open(t, path, { as: null, expected });

async function fillIn(page: Page, password = owner.password): Promise<void> {
  await page.getByRole('textbox', { name: 'Email' }).fill(owner.email);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
}

async function signIn(page: Page, password = owner.password): Promise<void> {
  await fillIn(page, password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

test('M1: a user signs in, opens Settings in the sidebar, then the API tab', async (t) => {
  const page = await openSignedOut(t, '/');
  await expectFocus(page.getByRole('textbox', { name: 'Email' }));
  await signIn(page);
  await expectPath(page, '/');
  await expectText(heading(page), /^Overview$/);
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Settings' }).click();
  await expectPath(page, '/settings/account');
  await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'API' }).click();
  await expectPath(page, '/settings/api');
  await expectText(heading(page), /^API keys$/);
});

test('M1: the sign-in works with the keyboard alone', async (t) => {
  const page = await openSignedOut(t, '/settings/api');
  await expectPath(page, '/login?next=%2Fsettings%2Fapi');
  await expectFocus(page.getByRole('textbox', { name: 'Email' }));
  await page.keyboard.type(owner.email);
  await page.keyboard.press('Tab');
  await page.keyboard.type(owner.password);
  await page.keyboard.press('Enter');
  await expectText(heading(page), /^API keys$/);
  await expectPath(page, '/settings/api');
  await expectFocus(heading(page));
});

for (const path of ['/settings/api?status=revoked&q=ci', '/settings/api?panel=generate']) {
  test(`M1: ${path} leads to the login and back to the same page`, async (t) => {
    const page = await openSignedOut(t, path);
    await expectPath(page, `/login?${new URLSearchParams({ next: path })}`);
    await signIn(page);
    await expectPath(page, path);
    await page.reload();
    await expectPath(page, path);
  });
}

test('the login page redirects a user who is already signed in', async (t) => {
  const page = await dashboard.open(t, '/login?next=%2Fsettings%2Fapi');
  await expectPath(page, '/settings/api');
});

const foreign = [
  '//evil.example',
  '/\\evil.example',
  '/\t/evil.example',
  'https://evil.example/',
  'https:evil.example',
  'javascript:alert(1)',
  '/..//evil.example',
];

const loginWith = (next: string) => `/login?${new URLSearchParams({ next })}`;

/** The addresses outside the server that the page requests from now on. */
function requestsElsewhere(page: Page): string[] {
  const left: string[] = [];
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== dashboard.server.url) left.push(request.url());
  });
  return left;
}

async function isAtHome(page: Page, left: string[]): Promise<void> {
  await expectPath(page, '/');
  await expectText(heading(page), /^Overview$/);
  assert.deepEqual(left, []);
}

test('after signing in, a foreign address in "next" is not followed', async (t) => {
  const page = await openSignedOut(t, loginWith('//evil.example'));
  const left = requestsElsewhere(page);
  await signIn(page);
  await isAtHome(page, left);
});

// Not by signing in, because the server takes longer for a password than for all the rest.
test('a user who is already signed in is not sent to a foreign address in "next"', async (t) => {
  const page = await dashboard.open(t, '/healthz');
  const left = requestsElsewhere(page);
  for (const next of foreign) {
    await page.goto(dashboard.server.url + loginWith(next));
    await isAtHome(page, left);
  }
});

test('a wrong password shows an error and keeps the email address', async (t) => {
  const page = await openSignedOut(t, '/login', [httpErrorMessage(401)]);
  await signIn(page, 'wrong password');
  await expectText(page.getByRole('alert'), /The email address or password is incorrect\./);
  assert.equal(await page.getByRole('textbox', { name: 'Email' }).inputValue(), owner.email);
  await expectFocus(page.getByRole('textbox', { name: 'Password' }));
  await signIn(page);
  await expectPath(page, '/');
});

test('after too many attempts, the page says how long to wait', async (t) => {
  const page = await openSignedOut(t, '/login', [httpErrorMessage(429), httpErrorMessage(401)]);
  const alert = page.getByRole('alert');
  // Only attempts within the last minute count. On a slow machine the first ones may be older when the page tries.
  do {
    await guessTenTimes(page);
    await signIn(page, 'wrong password');
    await expectText(alert, /Too many attempts|is incorrect/);
  } while ((await alert.textContent())?.includes('Too many attempts') !== true);
  await expectText(alert, /Too many attempts\. Try again in \d+ seconds?\./);
});

/** Sends attempts from the address of the page, but not through the page. */
async function guessTenTimes(page: Page): Promise<void> {
  const guesses = Array.from({ length: 10 }, () =>
    page.request.post(`${dashboard.server.url}/api/auth/sign-in/email`, {
      data: { email: owner.email, password: 'wrong password' },
    }),
  );
  // Per address, one attempt waits while another is checked. The others are rejected, but count as well.
  for (const guess of await Promise.all(guesses)) assert.ok([401, 429, 503].includes(guess.status()));
}

test('signing out ends the session and shows the login page', async (t) => {
  const person = await dashboard.openSession();
  const page = await dashboard.open(t, '/settings/api', { as: person });
  await page.getByRole('button', { name: /ada/i }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expectPath(page, '/login');
  await page.goto(`${dashboard.server.url}/settings/api`);
  await expectPath(page, '/login?next=%2Fsettings%2Fapi');
  assert.equal((await person.call('GET', '/v1/api-keys')).status, 401);
});

test('signing out in one tab sends the other tab to the login, and signing in returns to its page', async (t) => {
  const page = await dashboard.open(t, '/settings/api', { as: await dashboard.openSession() });
  const other = await page.context().newPage();
  await other.goto(`${dashboard.server.url}/settings/api?status=all`);
  await expectText(heading(other), /^API keys$/);
  await page.getByRole('button', { name: /ada/i }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expectPath(page, '/login');
  await expectPath(other, '/login?next=%2Fsettings%2Fapi%3Fstatus%3Dall');
  await signIn(other);
  await expectPath(other, '/settings/api?status=all');
});

test('the login page says how to reset a forgotten password', async (t) => {
  const page = await openSignedOut(t, '/login');
  await expectText(
    page.getByRole('main'),
    /Forgot your password\?.*npm run soku -- account reset-password EMAIL/,
  );
});
