/** Copying: success is reported only if it is true, is announced to screen readers, and also works by hand. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { freePort, owner } from '../support/server.ts';
import { Dashboard } from './dashboard.ts';
import { expectFocus, expectHidden, expectText, expectVisibleFocus, readClipboard } from './expect.ts';
import * as keys from './key-pages.ts';

const port = await freePort();
/** Not a secure context, like a page in a home network without https. */
const plainHttp = `http://soku.example:${port}`;
const dashboard = await Dashboard.start({ PORT: String(port), SOKU_PUBLIC_URL: plainHttp });
const secure = await Dashboard.shared();
after(() => dashboard.stop());

const blockClipboard = `navigator.clipboard.writeText = () => Promise.reject(new DOMException('no', 'NotAllowedError')); undefined;`;
const blockCommand = 'document.execCommand = () => false; undefined;';
/** Chromium logs that it ignores these headers on plain http. */
const plainHttpWarnings = [
  /Cross-Origin-Opener-Policy header has been ignored/,
  /Origin-Agent-Cluster header/,
];
const copied = (page: Page) => page.getByRole('button', { name: 'Copied', exact: true });
const announcement = (page: Page) => keys.dialog(page).getByRole('status').first();

const selectionSchema = z.tuple([z.number(), z.number(), z.string()]);

async function isSelected(page: Page, apiKey: string): Promise<void> {
  const [start, end, value] = selectionSchema.parse(
    await keys.keyField(page).evaluate((field) => [field.selectionStart, field.selectionEnd, field.value]),
  );
  assert.equal(value.slice(start, end), apiKey);
}

test('if the clipboard is blocked, the page does not report success, and the selected key can be copied by hand', async (t) => {
  const page = await secure.open(t, '/settings/api');
  await page.evaluate(blockClipboard + blockCommand);
  const apiKey = await keys.generate(page, 'Blocked');
  await keys.copyButton(page).click();
  await expectText(
    announcement(page),
    /The browser blocked the clipboard\. The key is selected: press Ctrl\+C/,
  );
  await keys.copyButton(page).waitFor();
  await expectHidden(copied(page));
  await expectFocus(keys.keyField(page));
  assert.equal(await keys.keyField(page).isEditable(), false);
  await isSelected(page, apiKey);

  await keys.doneButton(page).click();
  await expectText(keys.alertDialog(page), /Close without copying/);
  await keys.alertDialog(page).getByRole('button', { name: 'Back to the key' }).click();
  await keys.keyField(page).focus();
  await page.keyboard.press('Control+C');
  await copied(page).waitFor();
  await keys.doneButton(page).click();
  await expectHidden(keys.dialog(page));
  assert.equal(await readClipboard(page), apiKey);
});

test('copying part of the key by hand does not count as copying the key', async (t) => {
  const page = await secure.open(t, '/settings/api');
  const apiKey = await keys.generate(page, 'A part');
  await keys.keyField(page).focus();
  await keys.keyField(page).evaluate((field) => field.setSelectionRange(0, 20));
  await page.keyboard.press('Control+C');
  assert.equal(await readClipboard(page), apiKey.slice(0, 20));
  await keys.doneButton(page).click();
  await expectText(keys.alertDialog(page), /Close without copying/);
});

test('if only the Clipboard API is blocked, the older command copies the key', async (t) => {
  const page = await secure.open(t, '/settings/api');
  await page.evaluate(blockClipboard);
  const apiKey = await keys.generate(page, 'Older interface');
  await keys.copyButton(page).click();
  await copied(page).waitFor();
  assert.equal(await readClipboard(page), apiKey);
});

test('on plain http, without navigator.clipboard, the key is copied and the page reports it', async (t) => {
  const page = await dashboard.open(t, '/login', { alone: true, as: null, expected: plainHttpWarnings });
  await page.goto(`${plainHttp}/settings/api`);
  await page.getByRole('textbox', { name: 'Email' }).fill(owner.email);
  await page.getByRole('textbox', { name: 'Password' }).fill(owner.password);
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate('isSecureContext || "clipboard" in navigator'), false);
  const apiKey = await keys.generate(page, 'Plain http');
  await keys.copyButton(page).click();
  await copied(page).waitFor();
  await showsFocusAgain(page);
  await keys.doneButton(page).click();
  await expectHidden(keys.dialog(page));
  // Pasting is the only way to read a clipboard here.
  await keys.generateButton(page).click();
  await keys.nameField(page).focus();
  await page.keyboard.press('Control+V');
  assert.equal(await keys.nameField(page).inputValue(), apiKey);
});

/** The older command selects the key, and the focus stays visible. */
async function showsFocusAgain(page: Page): Promise<void> {
  await expectVisibleFocus(keys.keyField(page).or(copied(page)).and(page.locator(':focus')));
}

test('if copying fails on plain http, the key stays selected in its field', async (t) => {
  const page = await dashboard.open(t, '/login', { alone: true, as: null, expected: plainHttpWarnings });
  await page.addInitScript(blockCommand);
  await dashboard.signInAs(page.context(), dashboard.ada, plainHttp);
  await page.goto(`${plainHttp}/settings/api`);
  const apiKey = await keys.generate(page, 'Plain http, blocked');
  await keys.copyButton(page).click();
  await expectText(announcement(page), /The browser blocked the clipboard/);
  await isSelected(page, apiKey);
});

test('"Copied" is announced by a live region that exists in the modal dialog before its text', async (t) => {
  const page = await secure.open(t, '/settings/api');
  await keys.generate(page, 'Announced');
  const region = await announcement(page).elementHandle();
  assert.ok(region);
  assert.doesNotMatch((await region.textContent()) ?? '', /Copied/);
  await keys.copyButton(page).click();
  await copied(page).waitFor();
  const announced = z
    .object({ text: z.string(), connected: z.boolean(), modal: z.boolean(), role: z.string() })
    .parse(
      await region.evaluate((element) => ({
        text: element.textContent,
        connected: element.isConnected,
        modal: element.closest('dialog:modal') !== null,
        role: element.getAttribute('role'),
      })),
    );
  assert.deepEqual(announced, {
    text: 'Copied. The full key is on the clipboard.',
    connected: true,
    modal: true,
    role: 'status',
  });
});

test('the field selects the key on focus, is read-only and has no autocomplete', async (t) => {
  const page = await secure.open(t, '/settings/api');
  const apiKey = await keys.generate(page, 'Field');
  await keys.keyField(page).focus();
  await isSelected(page, apiKey);
  assert.equal(await keys.keyField(page).getAttribute('autocomplete'), 'off');
  assert.equal(await keys.keyField(page).getAttribute('readonly'), '');
});

test('the line for .env shows the preview, copies the full key, and counts as copying', async (t) => {
  const page = await secure.open(t, '/settings/api');
  const apiKey = await keys.generate(page, 'Environment line');
  const panel = page.getByRole('tabpanel');
  await expectText(panel, /SOKU_API_KEY=sk_live_\w{3}\.\.\.\w{3}/);
  await keys.copySnippet(page).click();
  await expectText(keys.snippetStatus(page), /^Copied: \.env$/);
  assert.equal(await readClipboard(page), `SOKU_API_KEY=${apiKey}`);
  await keys.doneButton(page).click();
  await expectHidden(keys.dialog(page));
});

test('if the clipboard is blocked, the line for .env reports it and does not count as copying', async (t) => {
  const page = await secure.open(t, '/settings/api');
  await page.evaluate(blockClipboard + blockCommand);
  await keys.generate(page, 'Environment line, blocked');
  await keys.copySnippet(page).click();
  await expectText(
    keys.snippetStatus(page),
    /^The browser blocked the clipboard\. Select the text and copy it\.$/,
  );
  await expectHidden(copied(page));
  await keys.doneButton(page).click();
  await expectText(keys.alertDialog(page), /Close without copying/);
});

test('copying a snippet, which contains no key, does not count as copying the key', async (t) => {
  const page = await secure.open(t, '/settings/api');
  const apiKey = await keys.generate(page, 'Snippet');
  await page.getByRole('tab', { name: 'curl' }).click();
  await keys.copySnippet(page).click();
  await expectText(keys.snippetStatus(page), /^Copied: curl$/);
  assert.ok(!(await readClipboard(page)).includes(apiKey));
  await keys.doneButton(page).click();
  await expectText(keys.alertDialog(page), /Close without copying/);
});
