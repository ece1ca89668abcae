/** The secrets of a key: the countdown of a rotation, who still uses an old secret, and its end. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { Dashboard } from './dashboard.ts';
import { expectFocus, expectHidden, expectPath, expectText, readTexts, tabTo, waitUntil } from './expect.ts';
import * as keys from './key-pages.ts';
import { ageRotation, graceField, readKey, rotate, verify } from './rotating.ts';
import { expectToast } from './toasts.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;

const address = (id: string) => `/settings/api/${id}?tab=secrets`;
const openTab = (t: TestContext, id: string) => dashboard.open(t, address(id));
const secrets = (page: Page) => page.getByRole('list', { name: 'Secrets that are accepted' });
const rotation = (page: Page) => page.getByRole('region', { name: 'Rotation' });
const retireButton = (page: Page) => page.getByRole('button', { name: /^Retire now/ });
const section = (page: Page, title: string) =>
  page.locator('section').filter({ has: page.getByRole('heading', { name: title }) });

test('a key with one secret explains rotation and offers it', async (t) => {
  const { key } = await ada.createKey({ name: 'One secret' });
  const page = await openTab(t, key.id);
  await expectText(
    secrets(page),
    /^sk_live_.* Last used Never Created .* Rotate the key to replace its secret.* Rotate key$/,
  );
  assert.equal(await rotation(page).count(), 0);
  await page.getByRole('button', { name: 'Rotate key' }).click();
  await graceField(page).waitFor();
  await expectPath(page, `${address(key.id)}&panel=rotate`);
});

test('the countdown counts down, and its end is stated', async (t) => {
  const { key } = await ada.createKey({ name: 'Counted down' });
  await rotate(dashboard, key.id, { graceSeconds: 86_400, startGrace: 'now' });
  const page = await dashboard.open(t, '/healthz', { alone: true });
  await page.clock.install();
  await page.goto(dashboard.server.url + address(key.id));
  const clock = rotation(page).getByRole('timer');
  await expectText(clock, /^23 ?h 59 ?min \d\d ?s$/);
  const teeth = async () =>
    ((await page.locator('.countdown__gone').getAttribute('d')) ?? '').split('M').length - 1;
  assert.equal(await teeth(), 0);
  const before = (await readTexts(clock)).join();
  await page.clock.runFor(3000);
  await waitUntil(
    async () => (await readTexts(clock)).join(),
    (text) => text !== before,
    'the clock has moved',
  );
  // Without each second in between, which the page would draw.
  await page.clock.fastForward(3_600_000);
  await expectText(clock, /^22 ?h 59 ?min/);
  assert.equal(await teeth(), 4, 'each is a quarter of an hour');
  await expectText(
    rotation(page),
    /The old secret stops working in .* From then on, requests with it are rejected with 401\./,
  );
});

test('before the first use of the new secret, the panel says what it waits for', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'Not deployed yet' });
  const { apiKey: newKey } = await rotate(dashboard, key.id, { graceSeconds: 3600, startGrace: 'firstUse' });
  const page = await openTab(t, key.id);
  const lead = /Retire an old secret only once your programs have the new one\./;
  await expectText(section(page, 'Still using an old secret'), lead);
  await verify(dashboard, apiKey, 'old-program/1.0 (x86_64)');
  await page.reload();
  await expectText(
    rotation(page),
    /Waiting for the first request with the new secret .* works until then, and 1 hour longer/,
  );
  assert.equal(await rotation(page).getByText('Rotation unfinished.').count(), 0);
  assert.equal(
    await rotation(page)
      .getByRole('button', { name: /^Retire now/ })
      .count(),
    1,
  );
  await expectText(secrets(page), /New secret.* Last used Never .*Old secret, still works/);
  await ageRotation(dashboard, key.id, 2);
  await page.reload();
  await expectText(
    rotation(page),
    /Rotation unfinished\. No program has used the new secret yet\. The old one was last used just now\./,
  );
  await expectText(section(page, 'Still using an old secret'), /Give these programs the new secret/);
  await expectText(
    page.locator('.old-uses tbody'),
    /^sk_live_\S+ 127\.0\.0\.1 old-program\/1\.0 \(x86_64\) 1 /,
  );
  await verify(dashboard, newKey);
  await page.reload();
  await expectText(
    secrets(page),
    /New secret Requests, 24 hours 1 50% .*Old secret,.* Requests, 24 hours 1 50%/,
  );
  await expectText(rotation(page), /The old secret stops working in .*(59 ?min|1 ?h|01 ?h)/);
});

test('an old secret can be retired early with the keyboard, and it is then rejected', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'Finished early' });
  const { apiKey: newKey } = await rotate(dashboard, key.id, { graceSeconds: 86_400, startGrace: 'now' });
  const page = await openTab(t, key.id);
  await tabTo(retireButton(page));
  await page.keyboard.press('Enter');
  await expectText(keys.alertDialog(page), /Retire this secret\?.* 401 Unauthorized.* This cannot be undone/);
  await expectFocus(keys.alertDialog(page).getByRole('button', { name: 'Cancel' }));
  await page.keyboard.press('Escape');
  await expectHidden(keys.alertDialog(page));
  await expectPath(page, address(key.id));
  await expectFocus(retireButton(page));
  assert.equal(await verify(dashboard, apiKey), 204);
  await page.keyboard.press('Enter');
  await tabTo(keys.alertDialog(page).getByRole('button', { name: 'Retire secret' }));
  await page.keyboard.press('Enter');
  await expectToast(page, /Retired\. No server accepts it anymore\./);
  assert.deepEqual([await verify(dashboard, apiKey), await verify(dashboard, newKey)], [401, 204]);
  await expectHidden(rotation(page));
  const retiredAt = (await readKey(dashboard, key.id)).secrets[1]?.retiredAt ?? '';
  const ended = section(page, 'Retired secrets').getByRole('row').last();
  assert.equal(await ended.getByRole('time').getAttribute('datetime'), retiredAt);
  await page.goto(`${dashboard.server.url}${address(key.id)}&panel=retire&secret=${key.secrets[0]?.id}`);
  await expectText(keys.alertDialog(page), /This secret is already retired/);
});

test('with several old secrets, each has its own end and button', async (t) => {
  const { key } = await ada.createKey({ name: 'Rotated often' });
  for (const graceSeconds of [604_800, 259_200, 3600]) {
    await rotate(dashboard, key.id, { graceSeconds, startGrace: 'now' });
  }
  const page = await openTab(t, key.id);
  await expectText(rotation(page), /The next old secret stops working in/);
  assert.equal(await retireButton(page).count(), 3);
  const [, second] = (await readKey(dashboard, key.id)).secrets;
  await page.getByRole('button', { name: `Retire now secret ${second?.preview}` }).click();
  await keys.alertDialog(page).getByRole('button', { name: 'Retire secret' }).click();
  await expectHidden(keys.alertDialog(page));
  assert.equal((await readKey(dashboard, key.id)).secrets[1]?.retiredAt === null, false);
});

test('a revoked key and an expired key say why they get no other secret', async (t) => {
  const { key: revoked } = await ada.createKey({ name: 'Revoked with a secret' });
  await ada.revoke(revoked.id);
  const page = await openTab(t, revoked.id);
  const list = page.getByRole('list', { name: 'Secrets', exact: true });
  await expectText(list, /This key is revoked, so it cannot get another secret\.$/);
  const { key: rotated } = await ada.createKey({ name: 'Revoked during a rotation' });
  await rotate(dashboard, rotated.id, { graceSeconds: 3600, startGrace: 'now' });
  await ada.revoke(rotated.id);
  await page.goto(dashboard.server.url + address(rotated.id));
  await expectText(list, /New secret .* Old secret Requests/);
  assert.equal(await page.getByRole('link', { name: 'Secrets 2' }).count(), 0);
  const soon = new Date(Date.now() + 60_000).toISOString();
  const { key: expired } = await ada.createKey({ name: 'Expired with a secret', expiresAt: soon });
  await dashboard.database('UPDATE api_key SET expires_at = ? WHERE id = ?', 1, expired.id);
  await page.goto(dashboard.server.url + address(expired.id));
  await page.getByRole('link', { name: 'Change the expiration date' }).click();
  await expectPath(page, `/settings/api/${expired.id}?panel=expiry&tab=access`);
  await page.getByRole('combobox', { name: 'Expires' }).waitFor();
  await page.locator('.fact').getByRole('term').getByText('Expired', { exact: true }).waitFor();
});

test('a retired secret that is still used, and a revoked key, raise an alert on each tab', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'Still sent' });
  const { apiKey: newKey } = await rotate(dashboard, key.id, { graceSeconds: 0 });
  const page = await openTab(t, key.id);
  await secrets(page).waitFor();
  assert.equal(await page.locator('.ended-use').count(), 0);
  assert.equal(await verify(dashboard, apiKey), 401);
  await page.reload();
  await expectText(
    page.locator('.ended-use'),
    /A retired secret of this key is still in use\. 1 request was rejected in the last 24 hours, the first one after/,
  );
  await ada.revoke(key.id);
  assert.equal(await verify(dashboard, newKey), 401);
  await page.goto(`${dashboard.server.url}/settings/api/${key.id}?tab=access`);
  await expectText(
    page.locator('.ended-use'),
    /This key is revoked, but it is still in use\. 2 requests were rejected/,
  );
});

test('when the period ends, the page shows it at once', async (t) => {
  const { key } = await ada.createKey({ name: 'Ends now' });
  await rotate(dashboard, key.id, { graceSeconds: 90, startGrace: 'now' });
  const page = await dashboard.open(t, '/healthz', { alone: true });
  await page.clock.install({ time: new Date(Math.ceil(Date.now() / 60_000) * 60_000 - 50_000) });
  await page.goto(dashboard.server.url + address(key.id));
  await rotation(page).getByRole('timer').waitFor();
  const end = Date.parse((await readKey(dashboard, key.id)).secrets[1]?.retiresAt ?? '');
  await page.clock.pauseAt(end - 1500);
  // Stopped, so that the page is not corrected by something later, such as the next minute.
  await page.clock.pauseAt(end + 4000);
  await expectHidden(rotation(page));
  await expectHidden(page.getByRole('link', { name: 'Secrets 2' }));
  await expectText(section(page, 'Retired secrets'), /sk_live_/);
});
