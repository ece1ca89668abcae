/** M8: the page shows on how many servers a revoke took effect, and explains delays. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { keySchema } from '@soku/contract/keys';
import { Deployment } from '../operations/nodes.ts';
import { Dashboard } from './dashboard.ts';
import { expectHidden, expectText, readTexts } from './expect.ts';
import * as keys from './key-pages.ts';
import { expectToast } from './toasts.ts';

const dashboard = await Dashboard.inNewWorkspace();
const { ada } = dashboard;
/** Three servers on one PostgreSQL. The tests use the dashboard of the first. */
let deployment: Deployment;
let many: Dashboard;
before(async () => {
  // The pages are opened on the first server, so its own address must be the public URL.
  deployment = await Deployment.start(3, { TRUST_PROXY: '127.0.0.1', SOKU_PUBLIC_URL: undefined });
  many = await Dashboard.attach(deployment.node(0).server);
});
after(() => deployment.stop());

const waiting = 'Waiting for every server to confirm…';

test('with one server, the page confirms the revoke without numbers', async (t) => {
  await ada.createKey({ name: 'One server' });
  const page = await dashboard.open(t, '/settings/api?q=One');
  await keys.choose(page, 'Revoke', 'One server');
  await keys.confirmRevoke(page, 'One server').click();
  await expectToast(page, /^"One server": Revoked\. No server accepts it anymore\.$/);
});

test('a slow revoke is announced in an existing live region of the dialog, and is sent only once', async (t) => {
  await ada.createKey({ name: 'Takes long' });
  const page = await dashboard.open(t, '/settings/api?q=Takes%20long');
  const held = Promise.withResolvers<void>();
  let sent = 0;
  await page.route('**/revoke', async (route) => {
    sent += 1;
    await held.promise;
    await route.continue();
  });
  await keys.choose(page, 'Revoke', 'Takes long');
  const confirm = keys.confirmRevoke(page, 'Takes long');
  await confirm.waitFor();
  const region = keys.alertDialog(page).locator('.waiting[role=status]');
  assert.deepEqual(await readTexts(region), [''], 'the live region exists before its text');
  const before = await keys.alertDialog(page).boundingBox();
  // Both clicks occur in one task of the page, without a render in between.
  await confirm.evaluate((button) => {
    button.click();
    button.click();
  });
  await expectText(region, new RegExp(`^${waiting}$`));
  assert.deepEqual(await keys.alertDialog(page).boundingBox(), before, 'the layout does not shift');
  await confirm.click({ force: true });
  await page.keyboard.press('Escape');
  await page.keyboard.press('Enter');
  held.resolve();
  await expectHidden(keys.alertDialog(page));
  await expectToast(page, /No server accepts it anymore\.$/);
  assert.equal(sent, 1);
});

test('while a revoke takes too long, the dialog warns that the key may already be revoked', async (t) => {
  await ada.createKey({ name: 'Hangs' });
  const page = await dashboard.open(t, '/settings/api?q=Hangs', { alone: true });
  const held = Promise.withResolvers<void>();
  await page.route('**/revoke', async (route) => {
    await held.promise;
    await route.continue();
  });
  await keys.choose(page, 'Revoke', 'Hangs');
  await keys.confirmRevoke(page, 'Hangs').waitFor();
  const now = new Date();
  await page.clock.install({ time: now });
  await page.clock.pauseAt(now.getTime() + 1000);
  await keys.confirmRevoke(page, 'Hangs').click();
  await page.clock.runFor(2900);
  const region = keys.alertDialog(page).locator('.waiting');
  await expectText(region, new RegExp(`^${waiting}$`));
  await page.clock.runFor(200);
  await expectText(region, /^This is taking longer than usual\. The key may already be revoked\.$/);
  held.resolve();
  await expectHidden(keys.alertDialog(page));
});

test('with several servers, the page shows how many there are and how long the revoke took', async (t) => {
  await many.ada.createKey({ name: 'Three servers' });
  const page = await many.open(t, '/settings/api?q=Three');
  await keys.choose(page, 'Revoke', 'Three servers');
  await keys.confirmRevoke(page, 'Three servers').click();
  await expectToast(
    page,
    /^"Three servers": Revoked\. No server accepts it anymore \(3 servers, [\d,]+ ms\)\.$/,
  );
});

test('while a revoke waits for a frozen server, the dialog shows it and the page does not confirm it', async (t) => {
  const { key } = await many.ada.createKey({ name: 'Frozen' });
  const page = await many.open(t, '/settings/api?q=Frozen');
  await keys.choose(page, 'Revoke', 'Frozen');
  await keys.confirmRevoke(page, 'Frozen').waitFor();
  const { pid } = deployment.node(2).server;
  process.kill(pid, 'SIGSTOP');
  t.after(() => process.kill(pid, 'SIGCONT'));
  await keys.confirmRevoke(page, 'Frozen').click();
  await expectText(keys.alertDialog(page).locator('.waiting'), new RegExp(waiting));
  assert.equal(await keys.toast(page).count(), 0);
  await expectToast(page, /No server accepts it anymore \(2 servers, [\d,]+ ms\)\.$/);
  const { body } = await many.ada.call('GET', `/v1/api-keys/${key.id}`);
  assert.equal(keySchema.parse(body).status, 'revoked');
});
