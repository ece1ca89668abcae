/** Settings > Webhooks: responses that arrive after the user has gone on, and the secret after the user has left. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { Dashboard } from './dashboard.ts';
import { expectHidden, expectPath, expectText } from './expect.ts';
import { alertDialog, copyButton, dialog, heading } from './key-pages.ts';
import { expectToast } from './toasts.ts';
import { addQuietWebhook, button, holdResponse, secretField } from './webhook-pages.ts';

const dashboard = await Dashboard.inNewWorkspace();
const receiver = await WebhookReceiver.start();
after(() => receiver.close());

test('a late response neither moves the user nor closes the dialog that is open by then', async (t) => {
  const { id } = await addQuietWebhook(dashboard.ada, `${receiver.url}/late`);
  const path = `/settings/webhooks/${id}`;
  const page = await dashboard.open(t, `${path}?status=failed`);
  const answerTest = await holdResponse(page, '**/test', 'POST');
  await button(page, 'Send test event').click();
  await page.getByRole('link', { name: 'Webhooks' }).click();
  await expectPath(page, '/settings/webhooks');
  await answerTest();
  await expectToast(page, /^Test event queued\./);
  await expectPath(page, '/settings/webhooks');
  await expectText(heading(page), /^Webhooks$/);

  await page.locator(`a[href$="${id}"]`).click();
  await button(page, 'Edit').click();
  const answerEdit = await holdResponse(page, `**/v1/webhooks/${id}`, 'PATCH');
  await dialog(page).getByRole('textbox', { name: 'Description' }).fill('Late');
  const sent = page.waitForRequest((request) => request.method() === 'PATCH');
  await dialog(page).getByRole('button', { name: 'Save' }).click();
  assert.deepEqual((await sent).postDataJSON(), { description: 'Late' }, 'only what was changed');
  await page.keyboard.press('Escape');
  await dialog(page).getByRole('button', { name: 'Cancel' }).click();
  await expectPath(page, `${path}?panel=edit`);
  await page.goBack();
  await expectHidden(dialog(page));
  await expectPath(page, path);
  await button(page, 'Rotate secret').click();
  await dialog(page).getByRole('button', { name: 'Rotate secret' }).click();
  const secret = await secretField(page).inputValue();
  await answerEdit();
  await expectText(heading(page), /^Late$/);
  await copyButton(page).click();
  await page.getByText('Copied. The full secret is on the clipboard.').waitFor();
  await page.evaluate(`window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))`);
  assert.ok(
    !(await page.content()).includes(secret.slice(6)),
    'the page that is kept for Back does not hold the secret',
  );
  await dialog(page).getByRole('button', { name: 'Cancel' }).click();
  await expectHidden(dialog(page));

  await button(page, 'Delete').click();
  const answerDelete = await holdResponse(page, `**/v1/webhooks/${id}`, 'DELETE');
  await alertDialog(page).getByRole('button', { name: 'Delete webhook' }).click();
  await page.goBack();
  await expectHidden(alertDialog(page));
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Settings' }).click();
  await expectPath(page, '/settings/account');
  await answerDelete();
  await expectToast(page, /Late.*Deleted\.$/);
  await expectPath(page, '/settings/account');
  await expectText(heading(page), /^Account$/);
});
