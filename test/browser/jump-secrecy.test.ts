/** A key that is pasted into the jump dialog is found by its hash, and is not kept or sent. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import type { Page } from 'playwright-core';
import { isAccessible } from './accessibility.ts';
import { Dashboard, networkErrorMessage } from './dashboard.ts';
import { isAt, isGone, reads, texts } from './expect.ts';
import { choices, count, jump, jumpInput, openJump } from './jump-pages.ts';
import { isNotInPage, isNowhereIn, randomPart, record } from './leaks.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

const hashOf = (apiKey: string) => createHash('sha256').update(apiKey).digest('hex');
const note = (page: Page) => jump(page).getByRole('status').first();

async function paste(page: Page, text: string): Promise<void> {
  await page.evaluate((copied) => Reflect.get(navigator, 'clipboard').writeText(copied), text);
  await page.keyboard.press('ControlOrMeta+V');
}

test('a pasted key is found by its fingerprint, even if revoked, and the key is nowhere in the browser', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'Pasted into the dialog' });
  await ada.revoke(key.id);
  const page = await dashboard.open(t, '/');
  const recorded = record(page.context());
  await openJump(page);
  await page.keyboard.type('past');
  await paste(page, `export SOKU_API_KEY="${apiKey}"\n`);
  await reads(note(page), /^Found by its fingerprint; the key itself was not sent\.$/);
  assert.deepEqual(await texts(choices(page)), [
    `Pasted into the dialog Revoked ${key.preview.slice('sk_live_'.length)}`,
  ]);
  await reads(count(page), /^1 key$/);
  assert.equal(await jumpInput(page).inputValue(), '');
  assert.ok(recorded.texts.some((text) => text.includes(`hash=${hashOf(apiKey)}`)));
  await isAccessible(page);
  await page.keyboard.press('ControlOrMeta+Z');
  await page.evaluate(`navigator.clipboard.writeText('')`);
  await isNowhereIn(page, apiKey, 'after the search');
  await page.keyboard.press('Enter');
  await isAt(page, `/settings/api/${key.id}`);
  await isNowhereIn(page, apiKey, 'on the page of the key');
  await recorded.responses();
  assert.deepEqual(
    recorded.texts.filter((text) => text.includes(randomPart(apiKey))),
    [],
  );
});

test('a typed key is not sent, an unknown one is reported, and a damaged one is searched by its start', async (t) => {
  const { apiKey } = await ada.createKey({ name: 'Typed into the dialog' });
  const stray = generateKey();
  const page = await dashboard.open(t, '/');
  const recorded = record(page.context());
  await openJump(page);
  await jumpInput(page).fill(stray);
  await reads(note(page), /^Searched by its fingerprint; the key itself was not sent\.$/);
  await jump(page).getByText('This key is not in this workspace.').waitFor();
  await jumpInput(page).fill(apiKey.slice(0, -1));
  await reads(note(page), /incomplete or mistyped, so it was not sent/);
  assert.equal(await jumpInput(page).inputValue(), apiKey.slice(0, 11));
  await choices(page).filter({ hasText: 'Typed into the dialog' }).waitFor();
  await page.keyboard.press('Escape');
  await isGone(jump(page));
  for (const secret of [apiKey, stray]) {
    await isNotInPage(page, secret, 'after the dialog was closed');
    assert.deepEqual(
      recorded.texts.filter((text) => text.includes(randomPart(secret).slice(0, 20))),
      [],
    );
  }
});

test('if the code that detects keys does not load, text that may contain one is not sent', async (t) => {
  const { apiKey } = await ada.createKey({ name: 'Not read in the dialog' });
  const page = await dashboard.open(t, '/', { alone: true, expected: [networkErrorMessage] });
  const recorded = record(page.context());
  await page.route(/search-input/, (route) => route.abort());
  await openJump(page);
  await jumpInput(page).fill(apiKey);
  await reads(note(page), /Part of this page did not load\. Your search was not sent/);
  await isNotInPage(page, apiKey, 'after the search');
  assert.deepEqual(
    recorded.texts.filter((text) => text.includes(randomPart(apiKey))),
    [],
  );
});
