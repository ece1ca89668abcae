/**
 * Runs every flow in a page that the browser translates: nothing breaks, and all changes are visible. `open` fails a
 * test if the console contains an error.
 */
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { bearer, call } from '../support/person.ts';
import { owner } from '../support/server.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import { evaluate, expectHidden, expectPath, expectText, readClipboard, readTexts } from './expect.ts';
import * as keys from './key-pages.ts';

const dashboard = await Dashboard.start();
after(() => dashboard.stop());
const { ada } = dashboard;

const open = (t: TestContext, path: string, expected: RegExp[] = []) =>
  dashboard.open(t, path, { translated: true, expected });

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true });
const tab = (page: Page, name: string) => page.getByRole('tab', { name, exact: true });

test('the translator replaces text, but not keys and code', async (t) => {
  const { key } = await ada.createKey({ name: 'Read in translation' });
  const page = await open(t, '/settings/api');
  await keys.row(page, 'Read in translation').waitFor();
  assert.ok((await evaluate(page, z.number(), 'translatedNodes')) > 20);
  assert.equal(await keys.heading(page).innerHTML(), '<font><font>API keys</font></font>');
  const row = keys.row(page, 'Read in translation');
  assert.equal(await row.locator('code').textContent(), key.preview);
  assert.equal(await row.locator('code font').count(), 0);
  await page.goto(`${dashboard.server.url}/help/authentication`);
  await keys.heading(page).waitFor();
  assert.equal(await page.locator('code:has(font)').count(), 0);
});

test('the name of a key is not translated where it stands alone', async (t) => {
  const name = 'Name in translation';
  const { key } = await ada.createKey({ name });
  const page = await open(t, '/settings/api');
  const assertUntranslated = async (what: string) => {
    assert.notEqual(await page.getByText(name, { exact: true }).count(), 0, what);
    const translated = page.locator('font').getByText(name, { exact: true });
    const places = await translated.evaluateAll((all) =>
      all.map((one) => one.closest(':not(font)')?.outerHTML.slice(0, 200)),
    );
    assert.deepEqual(places, [], what);
  };
  await keys.row(page, name).waitFor();
  await assertUntranslated('the list');
  await keys.choose(page, 'Revoke', name);
  await keys.confirmRevoke(page, name).waitFor();
  await assertUntranslated('the dialog');
  for (const path of [`/settings/api/${key.id}`, '/settings/audit', '/']) {
    await page.goto(`${dashboard.server.url}${path}`);
    await page.getByText(name, { exact: true }).first().waitFor();
    await assertUntranslated(path);
  }
});

test('setup, sign-out and sign-in work in a translated page', async (t) => {
  const withoutOwner = { SOKU_OWNER_EMAIL: undefined, SOKU_OWNER_PASSWORD: undefined };
  const fresh = await Dashboard.start(withoutOwner);
  t.after(() => fresh.stop());
  await fresh.server.printed('Set up Soku');
  const [, code = ''] = /setup\?code=([\w-]+)/.exec(fresh.server.output) ?? [];
  const expected = [httpErrorMessage(400), httpErrorMessage(401)];
  const page = await fresh.open(t, '/setup', { translated: true, expected });
  await field(page, 'Setup code').fill('not-the-code');
  await field(page, 'Your name').fill('Grace');
  await field(page, 'Email').fill(owner.email);
  await field(page, 'Password').fill(owner.password);
  await button(page, 'Create account').click();
  await page.getByText('Is wrong or was already used.').waitFor();
  await field(page, 'Setup code').fill(code);
  await button(page, 'Create account').click();
  await expectText(keys.heading(page), /^Overview$/);
  await tab(page, 'Python').click();
  await expectText(page.locator('pre'), /import requests/);
  await page.getByRole('button', { name: /Grace/ }).click();
  await button(page, 'Sign out').click();
  await expectText(keys.heading(page), /^Sign in$/);
  await field(page, 'Email').fill(owner.email);
  for (const password of ['not the password', owner.password]) {
    await field(page, 'Password').fill(password);
    await button(page, password === owner.password ? 'Hide password' : 'Show password').click();
    await button(page, 'Sign in').click();
    if (password !== owner.password)
      await page
        .getByRole('alert')
        .getByText(/is incorrect/)
        .waitFor();
  }
  await expectText(keys.heading(page), /^Overview$/);
});

test('a key can be created, copied, tested, renamed, found and revoked in a translated page', async (t) => {
  const page = await open(t, '/settings/api?q=Translated');
  await expectText(page.getByRole('navigation', { name: 'Status' }), /^Active 0 Revoked 0 Expired 0 All 0$/);
  await keys.generateButton(page).click();
  await keys.createButton(page).click();
  await page.getByText('Must not be empty.').waitFor();
  await button(page, 'Staging').click();
  await expectHidden(page.getByText('Must not be empty.'));
  await keys.nameField(page).fill('Translated');
  await page.getByText('Scopes, expiration and other options').click();
  await keys.dialog(page).getByRole('combobox', { name: 'Expires' }).selectOption('30 days');
  await page.getByText(/^The key expires on .*\.$/).waitFor();
  await keys.createButton(page).click();
  const apiKey = await keys.readShownKey(page);
  await expectText(keys.dialog(page).getByRole('heading'), /^Copy your key now$/);
  await keys.copyButton(page).click();
  await expectText(
    keys.dialog(page).locator('.secret'),
    /Copied Copied\. The full key is on the clipboard\.$/,
  );
  assert.equal(await readClipboard(page), apiKey);
  for (const name of ['curl', 'Python', '.env'] as const) await tab(page, name).click();
  await keys.copySnippet(page).click();
  await expectText(keys.snippetStatus(page), /^Copied: \.env$/);
  await button(page, 'Test key').click();
  await expectText(keys.dialog(page).locator('.test-key'), /200: the key works\./);
  await keys.doneButton(page).click();
  await expectHidden(keys.dialog(page));
  await expectText(page.locator('.list-foot'), /^1 key$/);
  await expectText(page.getByRole('navigation', { name: 'Status' }), /^Active 1 Revoked 0 Expired 0 All 1$/);

  await keys.choose(page, 'Rename', 'Translated');
  await field(page, 'Name').fill(' ');
  await button(page, 'Rename').click();
  await page.getByText('Must not be empty.').waitFor();
  await field(page, 'Name').fill('Translated and renamed');
  await button(page, 'Rename').click();
  await keys.row(page, 'Translated and renamed').waitFor();

  await page.getByRole('searchbox').fill('Nothing has this name');
  await page.getByRole('heading', { level: 2 }).waitFor();
  await page.getByRole('searchbox').fill('Translated');
  await keys.row(page, 'Translated and renamed').waitFor();

  await call(`${dashboard.server.url}/v1/me`, { headers: { ...bearer(apiKey), 'user-agent': 'curl/8.5' } });
  await keys.choose(page, 'Revoke', 'Translated and renamed');
  await expectText(
    keys.alertDialog(page),
    /2 requests in the last 24 hours, 2 in 7 days, last used .* with curl\/8\.5/,
  );
  await keys.confirmRevoke(page, 'Translated and renamed').click();
  await expectText(keys.toast(page), /Revoked\. No server accepts it anymore\./);
  await expectHidden(keys.row(page, 'Translated and renamed'));
  await page.getByRole('link', { name: /^Revoked/ }).click();
  await expectText(keys.row(page, 'Translated and renamed').locator('.status'), /^Revoked$/);
  await expectText(page.getByRole('navigation', { name: 'Status' }), /^Active 0 Revoked 1 Expired 0 All 1$/);
});

test('closing before copying and replacing a lost key work in a translated page', async (t) => {
  const page = await open(t, '/settings/api', [/ERR_FAILED/, httpErrorMessage(409)]);
  await keys.generate(page, 'Not copied');
  await page.keyboard.press('Escape');
  await expectText(keys.alertDialog(page), /Close without copying\?/);
  await button(page, 'Close without copying').click();
  await keys.row(page, 'Not copied').waitFor();

  let calls = 0;
  await page.route('**/v1/api-keys', async (route) => {
    calls += 1;
    if (calls > 1) return route.continue();
    await route.fetch();
    await route.abort();
  });
  await keys.generateButton(page).click();
  await keys.nameField(page).fill('Lost');
  await keys.createButton(page).click();
  await expectText(keys.dialog(page).getByRole('heading'), /^The response was lost$/);
  await button(page, 'Revoke and create another').click();
  await keys.createButton(page).click();
  await keys.readShownKey(page);
  await keys.copyAndClose(page);
});

test('the rate limit, the time ranges and the revoke of a key work in a translated page', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'Page of one' });
  await call(`${dashboard.server.url}/v1/me`, { headers: bearer(apiKey) });
  const page = await open(t, '/');
  await page.getByRole('link', { name: 'Page of one', exact: true }).click();
  await expectText(
    page.locator('.page-head'),
    /^Page of one Active .* Requests with this key are accepted\./,
  );
  await expectText(page.locator('.last-use'), /^Last used .*ago/);
  await page.getByRole('link', { name: 'Access' }).click();
  await button(page, 'Edit limit').click();
  const choice = page.getByRole('combobox', { name: 'Rate limit' });
  await choice.selectOption('Custom limit…');
  await button(page, 'Save limit').click();
  await page.getByText('Enter the number of requests per minute.').waitFor();
  await page.getByRole('textbox', { name: 'Requests per minute' }).fill('7');
  await button(page, 'Save limit').click();
  await expectText(page.locator('.fact').filter({ hasText: 'Limit' }), /7 requests per minute/);
  await button(page, 'Edit limit').click();
  await choice.selectOption('No limit');
  await button(page, 'Save limit').click();
  await expectText(page.locator('.fact').filter({ hasText: 'Limit' }), /No limit/);

  await page.getByRole('link', { name: 'Activity' }).click();
  await expectText(page.locator('.entry__action code'), /^key\.updated \| key\.updated \| key\.created$/);
  await page.getByRole('navigation', { name: 'Key' }).getByRole('link', { name: 'Overview' }).click();
  const slider = page.getByRole('slider');
  await slider.focus();
  await page.keyboard.press('ArrowLeft');
  await expectText(page.locator('.chart__readout'), /: 0 accepted, 0 rejected$/);
  await page.keyboard.press('ArrowRight');
  await expectText(page.locator('.chart__readout'), /: 1 accepted, 0 rejected$/);
  for (const [range, unit] of [
    ['30 days', 'day'],
    ['7 days', 'hour'],
    ['24 hours', 'hour'],
  ] as const) {
    await page.getByRole('link', { name: range }).click();
    await expectText(page.locator('.numbers summary'), new RegExp(`^Requests by ${unit}$`));
  }
  await button(page, 'Revoke key').click();
  await keys.confirmRevoke(page, 'Page of one').click();
  await expectText(page.locator('.page-head'), /^Page of one Revoked .* Requests are rejected with 401/);
  await expectHidden(button(page, 'Revoke key'));
  await page.goto(`${dashboard.server.url}/settings/api/${key.id}?panel=revoke`);
  await expectText(keys.alertDialog(page).getByRole('heading'), /^This key is already revoked$/);
  await button(page, 'Close').click();
  await expectHidden(keys.alertDialog(page));
});

test('the help, the key checker and the reference work in a translated page', async (t) => {
  const { apiKey } = await ada.createKey({ name: 'Checked' });
  const page = await open(t, '/help/api-troubleshooting', [httpErrorMessage(404)]);
  const check = page.getByRole('textbox', { name: 'Your key, as your program sends it' });
  const result = page.locator('.check-key').getByRole('status');
  for (const [text, words] of [
    [apiKey, /full key/],
    [apiKey.slice(0, -3), /The API responds with/],
    [` ${apiKey}`, /malformed_authorization/],
    [apiKey, /unknown_key/],
    ['', /^$/],
  ] satisfies Array<[string, RegExp]>) {
    await check.fill(text);
    await expectText(result, words);
  }
  const copyLink = page.getByRole('button', { name: /^Copy link/ }).first();
  await copyLink.click();
  await page
    .getByRole('button', { name: /^Copied/ })
    .first()
    .waitFor();
  await page.getByRole('link', { name: 'Managing keys' }).click();
  await expectText(keys.heading(page), /^API key management$/);
  for (const name of ['Python', 'Shell', 'Kubernetes']) await tab(page, name).click();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'API reference' }).click();
  await page.locator('.response summary').first().click();
  assert.ok((await readTexts(page.locator('.operation'))).length > 5);
  await page.goto(`${dashboard.server.url}/nowhere`);
  await expectText(keys.heading(page), /^Page not found$/);
});

// This test ends all sessions, so it runs last.
test('the default rate limit, the account and signing out everywhere work in a translated page', async (t) => {
  const page = await dashboard.open(t, '/settings/api', {
    as: await dashboard.openSession(),
    translated: true,
    expected: [httpErrorMessage(400), httpErrorMessage(401)],
  });
  await button(page, 'Change the default rate limit').click();
  await keys.dialog(page).getByRole('combobox').selectOption('No limit');
  await button(page, 'Save limit').click();
  await expectText(page.locator('.workspace-limit'), /^Default rate limit: no limit/);

  await page.getByRole('link', { name: 'Account', exact: true }).click();
  await field(page, 'Your name').fill('Augusta');
  await button(page, 'Save name').click();
  await expectText(keys.toast(page), /Your name has been saved\./);
  await page.getByRole('button', { name: /Augusta/ }).waitFor();
  await field(page, 'Your name').fill(' ');
  await button(page, 'Save name').click();
  await page.getByText('Must not be empty.').waitFor();
  await page.locator('.account-page').getByText('Dark', { exact: true }).click();

  await button(page, 'Change password').click();
  await field(page, 'Current password').fill('not the password');
  await field(page, 'New password').fill('short');
  await page.keyboard.press('Enter');
  await page.getByText('Must have at least 8 characters.').waitFor();
  await field(page, 'New password').fill('another long password');
  await page.keyboard.press('Enter');
  await page.getByText('The current password is incorrect.').waitFor();
  await page.keyboard.press('Escape');
  await expectHidden(keys.dialog(page));
  await button(page, 'Sign out everywhere').click();
  await keys.alertDialog(page).getByRole('button', { name: 'Sign out everywhere' }).click();
  await expectPath(page, '/login');
});
