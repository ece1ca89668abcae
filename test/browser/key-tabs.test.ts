/** The tabs of a key's page: their addresses, and the keyboard. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { waitUntilLoaded } from './accessibility.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import {
  expectFocus,
  expectHidden,
  expectPath,
  expectText,
  expectVisibleFocus,
  readTexts,
  tabTo,
  waitUntil,
} from './expect.ts';
import { heading } from './key-pages.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;
/** Another account on the same server. */
const neighbor = await Dashboard.inNewWorkspace();

const tabs = (page: Page) => page.getByRole('navigation', { name: 'Key', exact: true });
const tab = (page: Page, name: string) => tabs(page).getByRole('link', { name });
const currentTabs = (page: Page) => readTexts(tabs(page).locator('[aria-current="page"]'));
const isOn = (page: Page, name: string) =>
  waitUntil(
    () => currentTabs(page),
    (names) => names.join() === name,
    `the current tab is ${name}`,
  );
const section = (page: Page, title: string) =>
  page.locator('section').filter({ has: page.getByRole('heading', { name: title }) });

test('each tab has an address: Back, a reload and a link restore it, and an unknown one is the overview', async (t) => {
  const { key } = await ada.createKey({ name: 'With tabs' });
  const address = `/settings/api/${key.id}`;
  const page = await dashboard.open(t, `${address}?range=7d`);
  await isOn(page, 'Overview');
  const titles = [await titleOf(page)];
  await tab(page, 'Access').click();
  await expectPath(page, `${address}?tab=access`);
  await isOn(page, 'Access');
  await expectText(
    page.getByRole('main'),
    /Scopes None\. .* Allowed addresses All .* Rate limit .* Expires Never .* Environment Live/,
  );
  titles.push(await titleOf(page));
  await tab(page, 'Secrets').click();
  await expectPath(page, `${address}?tab=secrets`);
  await isOn(page, 'Secrets');
  titles.push(await titleOf(page));
  await page.goBack();
  await tab(page, 'Activity').click();
  await expectPath(page, `${address}?tab=activity`);
  await isOn(page, 'Activity');
  titles.push(await titleOf(page));
  assert.equal(new Set(titles).size, 4, `each tab has its own title: ${titles.join()}`);
  await page.goBack();
  await isOn(page, 'Access');
  await page.goBack();
  await expectPath(page, `${address}?range=7d`);
  await isOn(page, 'Overview');
  await page.goForward();
  await page.reload();
  await isOn(page, 'Access');
  await section(page, 'What this key can do').waitFor();
  for (const unknown of ['policy', 'overview', '', '%00']) {
    await page.goto(`${dashboard.server.url}${address}?tab=${unknown}`);
    await isOn(page, 'Overview');
    await section(page, 'Requests').waitFor();
  }
  assert.deepEqual(await readTexts(tabs(page).getByRole('link')), [
    'Overview',
    'Access',
    'Secrets',
    'Activity',
  ]);
});

async function titleOf(page: Page): Promise<string> {
  return waitUntil(
    () => page.title(),
    (title) => title.startsWith('With tabs'),
    'the title names the key',
  );
}

test('the tabs and everything in them work with the keyboard alone', async (t) => {
  const { key } = await ada.createKey({ name: 'Typed through' });
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await tabTo(tab(page, 'Access'));
  await page.keyboard.press('Enter');
  await isOn(page, 'Access');
  await expectVisibleFocus(tab(page, 'Access'));
  const edit = page.getByRole('button', { name: 'Edit limit' });
  const choice = page.getByRole('combobox', { name: 'Rate limit' });
  await tabTo(edit);
  await page.keyboard.press('Enter');
  await expectFocus(choice);
  await page.keyboard.press('Escape');
  await expectHidden(choice);
  await expectPath(page, `/settings/api/${key.id}?tab=access`);
  await expectVisibleFocus(edit);
  await page.keyboard.press('Enter');
  await expectFocus(choice);
  await page.goBack();
  await expectHidden(choice);
  await expectFocus(edit);
  await tabTo(tab(page, 'Activity'), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await isOn(page, 'Activity');
  await page.locator('.row-toggle').waitFor();
  await tabTo(page.locator('.row-toggle'));
  await page.keyboard.press('Enter');
  await expectText(page.locator('.entry__details'), /Request ID req_/);
  await tabTo(tab(page, 'Overview'), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await isOn(page, 'Overview');
  await section(page, 'Requests').waitFor();
});

test('on each tab, a key of another workspace is not found, and nothing of it is shown', async (t) => {
  const person = await neighbor.openSession();
  const { key } = await person.createKey({ name: "Bob's own" });
  const page = await dashboard.open(t, '/healthz', { expected: [httpErrorMessage(404)] });
  for (const query of ['', '?tab=access', '?tab=access&panel=limit', '?tab=secrets', '?tab=activity']) {
    await page.goto(`${dashboard.server.url}/settings/api/${key.id}${query}`);
    await expectText(heading(page), /^Key not found$/);
    await waitUntilLoaded(page);
    assert.equal(await tabs(page).count(), 0);
    assert.equal(await page.locator('main section, main dl').count(), 0);
    assert.ok(!(await page.content()).includes("Bob's own"));
  }
  await page.getByRole('link', { name: 'API keys' }).click();
  await expectPath(page, '/settings/api');
});
