/** A key that is pasted into the jump dialog is found by its hash, and is not kept or sent. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import type { Page } from 'playwright-core';
import { expectAccessible } from './accessibility.ts';
import { Dashboard, networkErrorMessage } from './dashboard.ts';
import { expectHidden, expectPath, expectText, readTexts } from './expect.ts';
import { choices, jumpDialog, jumpInput, openJump, resultCount } from './jump-pages.ts';
import { expectKeyNotInBrowser, expectKeyNotInPage, randomPart, recordTraffic } from './leaks.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

const hashOf = (apiKey: string) => createHash('sha256').update(apiKey).digest('hex');
const note = (page: Page) => jumpDialog(page).getByRole('status').first();

async function paste(page: Page, text: string): Promise<void> {
  await page.evaluate((copied) => Reflect.get(navigator, 'clipboard').writeText(copied), text);
  await page.keyboard.press('ControlOrMeta+V');
}

test('a pasted key is found by its fingerprint, even if revoked, and the key is nowhere in the browser', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'Pasted into the dialog' });
  await ada.revoke(key.id);
  const page = await dashboard.open(t, '/');
  const recorded = recordTraffic(page.context());
  await openJump(page);
  await page.keyboard.type('past');
  await paste(page, `export SOKU_API_KEY="${apiKey}"\n`);
  await expectText(note(page), /^Found by its fingerprint; the key itself was not sent\.$/);
  assert.deepEqual(await readTexts(choices(page)), [
    `Pasted into the dialog Revoked ${key.preview.slice('sk_live_'.length)}`,
  ]);
  await expectText(resultCount(page), /^1 key$/);
  assert.equal(await jumpInput(page).inputValue(), '');
  assert.ok(recorded.texts.some((text) => text.includes(`hash=${hashOf(apiKey)}`)));
  await expectAccessible(page);
  await page.keyboard.press('ControlOrMeta+Z');
  await page.evaluate(`navigator.clipboard.writeText('')`);
  await expectKeyNotInBrowser(page, apiKey, 'after the search');
  await page.keyboard.press('Enter');
  await expectPath(page, `/settings/api/${key.id}`);
  await expectKeyNotInBrowser(page, apiKey, 'on the page of the key');
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
  const recorded = recordTraffic(page.context());
  await openJump(page);
  await jumpInput(page).fill(stray);
  await expectText(note(page), /^Searched by its fingerprint; the key itself was not sent\.$/);
  await jumpDialog(page).getByText('This key is not in this workspace.').waitFor();
  await jumpInput(page).fill(apiKey.slice(0, -1));
  await expectText(note(page), /incomplete or mistyped, so it was not sent/);
  assert.equal(await jumpInput(page).inputValue(), apiKey.slice(0, 11));
  await choices(page).filter({ hasText: 'Typed into the dialog' }).waitFor();
  await page.keyboard.press('Escape');
  await expectHidden(jumpDialog(page));
  for (const secret of [apiKey, stray]) {
    await expectKeyNotInPage(page, secret, 'after the dialog was closed');
    assert.deepEqual(
      recorded.texts.filter((text) => text.includes(randomPart(secret).slice(0, 20))),
      [],
    );
  }
});

test('if the code that detects keys does not load, text that may contain one is not sent', async (t) => {
  const { apiKey } = await ada.createKey({ name: 'Not read in the dialog' });
  const page = await dashboard.open(t, '/', { alone: true, expected: [networkErrorMessage] });
  const recorded = recordTraffic(page.context());
  await page.route(/search-input/, (route) => route.abort());
  await openJump(page);
  await jumpInput(page).fill(apiKey);
  await expectText(note(page), /Part of this page did not load\. Your search was not sent/);
  await expectKeyNotInPage(page, apiKey, 'after the search');
  assert.deepEqual(
    recorded.texts.filter((text) => text.includes(randomPart(apiKey))),
    [],
  );
});
