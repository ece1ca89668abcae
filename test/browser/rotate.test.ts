/** M11, M13: a key gets a new secret, which is shown once, and the old one keeps working as long as it was chosen. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { owner } from '../support/server.ts';
import { waitUntilLoaded } from './accessibility.ts';
import { Dashboard, httpErrorMessage, networkErrorMessage } from './dashboard.ts';
import {
  expectFocus,
  expectHidden,
  expectPath,
  expectText,
  expectVisibleFocus,
  readClipboard,
  readDescription,
  tabTo,
} from './expect.ts';
import * as keys from './key-pages.ts';
import { graceField, readKey, rotateButton, verify } from './rotating.ts';

const dashboard = await Dashboard.shared();
const { ada } = dashboard;

const openButton = (page: Page) => page.getByRole('button', { name: 'Rotate', exact: true });
const start = (page: Page, name: string) => keys.dialog(page).getByRole('radio', { name });

/** Opens the dialog on the page of a new key. */
async function openDialog(t: TestContext, name: string, expected: RegExp[] = []) {
  const { apiKey, key } = await ada.createKey({ name });
  const page = await dashboard.open(t, `/settings/api/${key.id}`, { expected });
  await openButton(page).click();
  await graceField(page).waitFor();
  return { page, apiKey, key };
}

/** The body of each rotation that the page requests. */
function rotations(page: Page): unknown[] {
  const bodies: unknown[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/rotate')) bodies.push(request.postDataJSON());
  });
  return bodies;
}

test('by default, the old secret works until a day after the first use of the new one', async (t) => {
  const { page, apiKey, key } = await openDialog(t, 'Rotated with the mouse');
  await expectPath(page, `/settings/api/${key.id}?panel=rotate`);
  await expectText(
    keys.dialog(page),
    /works until a program uses the new one, and 24 hours longer: at least until/,
  );
  const sent = rotations(page);
  await rotateButton(page).click();
  const newKey = await keys.readShownKey(page);
  assert.notEqual(newKey, apiKey);
  assert.deepEqual(sent, [{ graceSeconds: 86_400, startGrace: 'firstUse' }]);
  await expectText(
    keys.dialog(page),
    /Copy the new secret now This secret will not be shown again\. The old secret works until 24 hours after/,
  );
  await expectFocus(keys.copyButton(page));
  await keys.copyButton(page).click();
  assert.equal(await readClipboard(page), newKey);
  await page.getByRole('button', { name: 'Test key' }).click();
  await expectText(keys.dialog(page).locator('.test-key'), /200: the key works/);
  await keys.doneButton(page).click();
  await expectHidden(keys.dialog(page));
  await expectFocus(openButton(page));
  assert.ok(!(await page.content()).includes(newKey));
  assert.deepEqual([await verify(dashboard, apiKey), await verify(dashboard, newKey)], [204, 204]);
  const { id, secrets } = await readKey(dashboard, key.id);
  assert.equal(id, key.id);
  assert.equal(secrets.length, 2);
  await page.getByRole('link', { name: 'Secrets 2' }).click();
  await expectText(page.getByRole('list', { name: 'Secrets' }), /New secret .* Old secret/);
});

test('with the keyboard alone, a fixed period can be chosen', async (t) => {
  const { key } = await ada.createKey({ name: 'Rotated with the keyboard' });
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  const sent = rotations(page);
  await tabTo(openButton(page));
  await page.keyboard.press('Enter');
  await expectFocus(graceField(page));
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Tab');
  await expectFocus(start(page, 'With the first use of the new secret'));
  await page.keyboard.press('ArrowRight');
  await expectFocus(start(page, 'Now'));
  await expectText(
    keys.dialog(page).getByRole('status').last(),
    /^The old secret stops working on .*, whether or not the new one is in use\.$/,
  );
  await page.keyboard.press('Enter');
  await keys.readShownKey(page);
  assert.deepEqual(sent, [{ graceSeconds: 604_800, startGrace: 'now' }]);
  await expectVisibleFocus(keys.copyButton(page));
  await page.keyboard.press('Enter');
  await tabTo(keys.doneButton(page));
  await page.keyboard.press('Enter');
  await expectHidden(keys.dialog(page));
  await expectVisibleFocus(openButton(page));
  const [, old] = (await readKey(dashboard, key.id)).secrets;
  const days = (Date.parse(old?.retiresAt ?? '') - Date.now()) / 86_400_000;
  assert.ok(days > 6.9 && days <= 7, `${days}`);
});

test('without a grace period, the old secret is rejected once the new one is shown', async (t) => {
  const { page, apiKey } = await openDialog(t, 'Leaked and rotated');
  await graceField(page).selectOption('Not at all: it stops working now');
  await expectText(
    keys.dialog(page),
    /Programs that use this key fail with 401 until they have the new secret/,
  );
  assert.equal(await start(page, 'Now').count(), 0);
  await keys.dialog(page).locator('.button--danger', { hasText: 'Rotate and retire the old secret' }).click();
  const newKey = await keys.readShownKey(page);
  assert.deepEqual([await verify(dashboard, apiKey), await verify(dashboard, newKey)], [401, 204]);
  await expectText(keys.dialog(page), /The old secret no longer works\./);
  await keys.copyAndClose(page);
});

test('a custom period is in hours, and an invalid one is explained at its field', async (t) => {
  const { page } = await openDialog(t, 'Custom period');
  const sent = rotations(page);
  await graceField(page).selectOption('Custom…');
  const hours = keys.dialog(page).getByRole('textbox', { name: 'Hours' });
  for (const [typed, problem] of [
    ['', /Enter the number of hours\./],
    ['0', /Must be between 1 and 720 hours/],
    ['721', /Must be between 1 and 720 hours/],
    ['2 days', /Use digits only, such as 48\./],
  ] satisfies Array<[string, RegExp]>) {
    await hours.fill(typed);
    await rotateButton(page).click();
    await keys.dialog(page).getByText(problem).waitFor();
    assert.match(await readDescription(hours), problem);
    await expectFocus(hours);
  }
  await hours.fill('48');
  await expectText(keys.dialog(page), /and 2 days longer/);
  await page.keyboard.press('Enter');
  await keys.readShownKey(page);
  assert.deepEqual(sent, [{ graceSeconds: 172_800, startGrace: 'firstUse' }]);
  await keys.copyAndClose(page);
});

test('clicking twice rotates once, and leaving without copying asks first', async (t) => {
  const { page, key } = await openDialog(t, 'Clicked twice');
  const held = Promise.withResolvers<void>();
  await page.route('**/rotate', async (route) => {
    await held.promise;
    await route.continue();
  });
  await rotateButton(page).dblclick();
  await page.keyboard.press('Escape');
  held.resolve();
  const newKey = await keys.readShownKey(page);
  assert.equal((await readKey(dashboard, key.id)).secrets.length, 2);
  await page.keyboard.press('Escape');
  await expectText(keys.alertDialog(page), /You have not copied this secret.* rotate the key again/);
  await page.keyboard.press('Escape');
  await expectHidden(keys.alertDialog(page));
  assert.equal(await keys.readShownKey(page), newKey);
  await page.goBack();
  await keys.alertDialog(page).getByRole('button', { name: 'Close without copying' }).click();
  await expectHidden(keys.dialog(page));
});

test('if the response is lost twice, rotating again retires the secret that no one saw', async (t) => {
  const { page, apiKey, key } = await openDialog(t, 'Lost rotation', [
    networkErrorMessage,
    httpErrorMessage(409),
  ]);
  let calls = 0;
  await page.route('**/rotate', async (route) => {
    calls += 1;
    if (calls > 1) return route.continue();
    await route.fetch();
    await route.abort();
  });
  await rotateButton(page).click();
  await expectText(keys.dialog(page).getByRole('heading'), /^The response was lost$/);
  await expectText(keys.dialog(page), /which no one has seen, is then retired/);
  const [lost] = (await readKey(dashboard, key.id)).secrets;
  const retired = page.waitForResponse((response) => response.url().endsWith(`/secrets/${lost?.id}/retire`));
  const again = keys.dialog(page).getByRole('button', { name: 'Rotate again' });
  await page.context().setOffline(true);
  await again.click();
  await expectText(keys.dialog(page).getByRole('alert'), /You are offline/);
  await page.context().setOffline(false);
  await again.click();
  const newKey = await keys.readShownKey(page);
  assert.equal((await retired).status(), 200);
  const { secrets } = await readKey(dashboard, key.id);
  assert.deepEqual(
    secrets.map(({ retiredAt }) => retiredAt === null),
    [true, false, true],
  );
  assert.deepEqual([await verify(dashboard, apiKey), await verify(dashboard, newKey)], [204, 204]);
  await keys.copyAndClose(page);
});

test('if it cannot be rotated, the dialog shows why and keeps its input', async (t) => {
  const { page, key } = await openDialog(t, 'Too often', [httpErrorMessage(409)]);
  for (let i = 0; i < 4; i += 1) await ada.call('POST', `/v1/api-keys/${key.id}/rotate`);
  await page.reload();
  await expectText(
    keys.dialog(page),
    /An earlier rotation is still in progress\. Its old secrets do not get more time/,
  );
  await graceField(page).selectOption('1 hour');
  await rotateButton(page).click();
  await expectText(keys.dialog(page).getByRole('alert'), /secrets/);
  assert.equal(await graceField(page).inputValue(), '3600');
  await keys.dialog(page).getByRole('button', { name: 'Cancel' }).click();
  await expectHidden(keys.dialog(page));
});

test('a link opens the dialog on the list, and a revoked or expired key cannot be rotated', async (t) => {
  const { key } = await ada.createKey({ name: 'Rotated from the list' });
  const page = await dashboard.open(t, `/settings/api?q=Rotated%20from&panel=rotate&key=${key.id}`);
  await rotateButton(page).click();
  await keys.readShownKey(page);
  await keys.copyAndClose(page);
  await expectPath(page, '/settings/api?q=Rotated+from');
  assert.equal((await readKey(dashboard, key.id)).secrets.length, 2);
  await ada.revoke(key.id);
  await page.goto(`${dashboard.server.url}/settings/api/${key.id}?panel=rotate`);
  await expectText(keys.dialog(page), /This key is revoked, so it cannot be rotated/);
  await waitUntilLoaded(page);
  assert.equal(await rotateButton(page).count(), 0);
  await keys.dialog(page).getByRole('button', { name: 'Close' }).last().click();
  await expectHidden(keys.dialog(page));
  assert.equal(await openButton(page).count(), 0);
});

test('an expired key cannot be rotated, and the dialog says what to do first', async (t) => {
  const soon = new Date(Date.now() + 60_000).toISOString();
  const { key } = await ada.createKey({ name: 'Expired', expiresAt: soon });
  await dashboard.database('UPDATE api_key SET expires_at = ? WHERE id = ?', 1, key.id);
  const page = await dashboard.open(t, `/settings/api/${key.id}?panel=rotate`);
  await expectText(
    keys.dialog(page),
    /This key has expired\. Give it a later expiration date, then rotate it\./,
  );
  assert.equal(await rotateButton(page).count(), 0);
});

test('the dialog that revokes a used key offers to rotate it instead', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'Not to be revoked' });
  await verify(dashboard, apiKey);
  const page = await dashboard.open(t, `/settings/api/${key.id}`);
  await page.getByRole('button', { name: 'Revoke key' }).click();
  await keys.alertDialog(page).getByRole('button', { name: 'rotate it instead' }).click();
  await graceField(page).waitFor();
  await expectHidden(keys.alertDialog(page));
  await page.goBack();
  await expectHidden(keys.dialog(page));
  await expectPath(page, `/settings/api/${key.id}`);
});

test('if the sign-in is too old, the page asks for the password, and the rotation then continues', async (t) => {
  const { key } = await ada.createKey({ name: 'Signed in long ago' });
  const person = await dashboard.openSession();
  const expected = [httpErrorMessage(403)];
  const page = await dashboard.open(t, `/settings/api/${key.id}?panel=rotate`, { as: person, expected });
  await graceField(page).selectOption('7 days');
  const threeHoursAgo = new Date(Date.now() - 3 * 3_600_000).toISOString();
  await dashboard.database(
    'UPDATE session SET "createdAt" = ? WHERE token = ?',
    threeHoursAgo,
    person.storedToken,
  );
  await rotateButton(page).click();
  await page
    .getByText('To create, rotate or import keys, or to change webhooks, you must have signed in')
    .waitFor();
  await page.keyboard.type(owner.password);
  await page.keyboard.press('Enter');
  await keys.readShownKey(page);
  const [, old] = (await readKey(dashboard, key.id)).secrets;
  assert.equal(old?.graceSeconds, 604_800);
});
