/** Pages that are open when their session ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitUntilLoaded } from './accessibility.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import { expectHidden, expectText } from './expect.ts';

const dashboard = await Dashboard.shared();
const { ada } = dashboard;

test('when the session ends, the page asks for the password only once, not every ten seconds', async (t) => {
  const { key } = await ada.createKey({ name: 'Left open' });
  const person = await dashboard.openSession();
  const page = await dashboard.open(t, `/settings/api/${key.id}`, {
    alone: true,
    as: person,
    expected: [httpErrorMessage(401)],
  });
  await page.clock.install();
  await page.reload();
  await expectText(page.getByRole('main'), /Accepted 0 Rejected 0/);
  await waitUntilLoaded(page);
  await dashboard.database('DELETE FROM session WHERE token = ?', person.storedToken);
  // One of the page's requests is rejected only after the user has declined to sign in.
  const declined = Promise.withResolvers<void>();
  await page.route('**/usage?**', async (route) => {
    await declined.promise;
    await route.continue();
  });
  const late = page.waitForResponse('**/usage?**');
  await page.clock.runFor(11_000);
  const question = page.getByRole('dialog').filter({ hasText: 'Your session has ended' });
  await question.waitFor();
  await page.keyboard.press('Escape');
  await expectHidden(question);
  declined.resolve();
  assert.equal((await late).status(), 401);
  await waitUntilLoaded(page);
  await expectHidden(question);
  let sent = 0;
  page.on('request', () => {
    sent += 1;
  });
  await page.clock.runFor(60_000);
  assert.equal(sent, 0);
  await expectText(page.getByRole('main'), /Accepted 0 Rejected 0/);
});
