/** M8: a revoke says on how many servers it holds, and what it waits for when it has to wait. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { keySchema } from '@soku/contract/keys';
import { Deployment } from '../operations/nodes.ts';
import { Dashboard } from './dashboard.ts';
import { isGone, reads, texts } from './expect.ts';
import * as keys from './key-pages.ts';

const dashboard = await Dashboard.start();
const { ada } = dashboard;
/** Three servers on one PostgreSQL; the dashboard of the first is looked at. */
let deployment: Deployment;
let many: Dashboard;
before(async () => {
  // The pages are opened on the first server, whose own address must be the public one.
  deployment = await Deployment.start(3, { TRUST_PROXY: '127.0.0.1', SOKU_PUBLIC_URL: undefined });
  many = await Dashboard.before(deployment.node(0).server, dashboard);
});
after(async () => {
  await deployment.stop();
  await dashboard.stop();
});

const waiting = 'Waiting until every server knows…';

test('with one server the page says that none accepts the key any more, and no numbers', async (t) => {
  await ada.makeKey({ name: 'One server' });
  const page = await dashboard.open(t, '/settings/api?q=One');
  await keys.revokeButton(page, 'One server').click();
  await keys.confirmRevoke(page, 'One server').click();
  await reads(keys.toast(page), /^"One server": Revoked\. No server accepts it any more\.$/);
});

test('a revoke that takes long says so in a region of the dialog that was there before, and is sent once', async (t) => {
  await ada.makeKey({ name: 'Takes long' });
  const page = await dashboard.open(t, '/settings/api?q=Takes%20long');
  const held = Promise.withResolvers<void>();
  let sent = 0;
  await page.route('**/revoke', async (route) => {
    sent += 1;
    await held.promise;
    await route.continue();
  });
  await keys.revokeButton(page, 'Takes long').click();
  const confirm = keys.confirmRevoke(page, 'Takes long');
  await confirm.waitFor();
  const region = keys.question(page).locator('.revoke-waiting[role=status]');
  assert.deepEqual(await texts(region), [''], 'it is there before its text');
  const before = await keys.question(page).boundingBox();
  // In one turn of the page: nothing was rendered in between.
  await confirm.evaluate((button) => {
    button.click();
    button.click();
  });
  await reads(region, new RegExp(`^${waiting}$`));
  assert.deepEqual(await keys.question(page).boundingBox(), before, 'nothing jumps');
  await confirm.click({ force: true });
  await page.keyboard.press('Escape');
  await page.keyboard.press('Enter');
  held.resolve();
  await isGone(keys.question(page));
  await reads(keys.toast(page), /No server accepts it any more\.$/);
  assert.equal(sent, 1);
});

test('a revoke that takes longer than it may says that the key may be dead already', async (t) => {
  await ada.makeKey({ name: 'Hangs' });
  const page = await dashboard.open(t, '/settings/api?q=Hangs', { alone: true });
  const held = Promise.withResolvers<void>();
  await page.route('**/revoke', async (route) => {
    await held.promise;
    await route.continue();
  });
  await keys.revokeButton(page, 'Hangs').click();
  await keys.confirmRevoke(page, 'Hangs').waitFor();
  const now = new Date();
  await page.clock.install({ time: now });
  await page.clock.pauseAt(now.getTime() + 1000);
  await keys.confirmRevoke(page, 'Hangs').click();
  await page.clock.runFor(2900);
  const region = keys.question(page).locator('.revoke-waiting');
  await reads(region, new RegExp(`^${waiting}$`));
  await page.clock.runFor(200);
  await reads(region, /^This takes longer than it should\. The key may be dead already…$/);
  held.resolve();
  await isGone(keys.question(page));
});

test('with more servers the page says how many, and how long it took', async (t) => {
  await many.ada.makeKey({ name: 'Three servers' });
  const page = await many.open(t, '/settings/api?q=Three');
  await keys.revokeButton(page, 'Three servers').click();
  await keys.confirmRevoke(page, 'Three servers').click();
  await reads(
    keys.toast(page),
    /^"Three servers": Revoked\. No server accepts it any more \(3 servers, [\d,]+ ms\)\.$/,
  );
});

test('while a frozen server is waited for, the dialog says so and the page claims nothing yet', async (t) => {
  const { key } = await many.ada.makeKey({ name: 'Frozen' });
  const page = await many.open(t, '/settings/api?q=Frozen');
  await keys.revokeButton(page, 'Frozen').click();
  await keys.confirmRevoke(page, 'Frozen').waitFor();
  const { pid } = deployment.node(2).server;
  process.kill(pid, 'SIGSTOP');
  t.after(() => process.kill(pid, 'SIGCONT'));
  await keys.confirmRevoke(page, 'Frozen').click();
  await reads(keys.question(page).locator('.revoke-waiting'), new RegExp(waiting));
  assert.equal(await keys.toast(page).count(), 0);
  await reads(keys.toast(page), /No server accepts it any more \(2 servers, [\d,]+ ms\)\.$/);
  const { body } = await many.ada.call('GET', `/v1/api-keys/${key.id}`);
  assert.equal(keySchema.parse(body).status, 'revoked');
});
