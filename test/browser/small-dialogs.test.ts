/** Dialogs in small windows, and their spacing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dashboard } from './dashboard.ts';
import { expectText, tabTo } from './expect.ts';
import * as keys from './key-pages.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

/** A phone, the smallest phone, a phone in landscape, and a window of 1280 x 800 at 200 % zoom. */
const small = [
  { width: 390, height: 844 },
  { width: 320, height: 568 },
  { width: 740, height: 360 },
  { width: 640, height: 400 },
];

test('the buttons of a dialog stay visible in a small window and do not cover the focused element', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  const isVisible = async (name: string) => {
    const button = page.locator('dialog').last().getByRole('button', { name, exact: true });
    for (const size of small) {
      await page.setViewportSize(size);
      const box = await button.boundingBox();
      const what = `${name} at ${size.width} x ${size.height}`;
      assert.ok(box && box.y >= 0 && box.y + box.height <= size.height, `${what}: ${JSON.stringify(box)}`);
    }
  };
  await keys.generateButton(page).click();
  await keys.nameField(page).fill('Small');
  await keys.dialog(page).getByText('Scopes, expiration and other options').click();
  await isVisible('Create');
  const last = keys.dialog(page).getByRole('textbox', { name: 'External ID' });
  for (const size of small) {
    await page.setViewportSize(size);
    await keys.nameField(page).focus();
    await tabTo(last);
    const [field, actions] = [await last.boundingBox(), await page.locator('.dialog__actions').boundingBox()];
    assert.ok(
      field && actions && field.y + field.height <= actions.y,
      `${JSON.stringify({ size, field, actions })}`,
    );
  }
  await keys.createButton(page).click();
  await keys.readShownKey(page);
  await isVisible('Done');
  await keys.copyButton(page).click();
  await keys.doneButton(page).click();
  await keys.choose(page, 'Revoke', 'Small');
  await isVisible('Revoke "Small"');
});

test('the revoke dialog has no large gaps', async (t) => {
  await ada.createKey({ name: 'Without gaps' });
  const page = await dashboard.open(t, '/settings/api?q=Without%20gaps');
  await keys.choose(page, 'Revoke', 'Without gaps');
  await expectText(keys.alertDialog(page).locator('.key-use'), /^Never used/);
  await keys.confirmRevoke(page, 'Without gaps').waitFor();
  // The box around the details has its own gap and padding below them.
  const gaps = await keys.alertDialog(page).evaluate((dialog) => {
    const parts = [...dialog.querySelectorAll('h2, p, label, .control, .button')].filter(
      (part) => part.textContent.trim() !== '',
    );
    const boxes = parts.map((part) => part.getBoundingClientRect());
    return boxes.slice(1).map((box, index) => Math.round(box.top - (boxes[index]?.bottom ?? 0)));
  });
  assert.ok(Math.max(...gaps) <= 36, `gaps of ${gaps.join(', ')} px`);
});
