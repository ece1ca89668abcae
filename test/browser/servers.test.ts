/** The state of the servers in the sidebar. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { Deployment } from '../operations/nodes.ts';
import { expectAccessible, waitUntilLoaded } from './accessibility.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import { expectText, readTexts, waitUntil } from './expect.ts';

const deployment = await Deployment.start(2, { TRUST_PROXY: '127.0.0.1' });
after(() => deployment.stop());
const [node, other] = [deployment.node(0), deployment.node(1)];
const dashboard = await Dashboard.attach(node.server);

const state = (page: Page) => page.locator('.shell__foot > .servers');

/** The page asks again when it gets the focus. */
const becomes = (page: Page, expected: string) =>
  waitUntil(
    async () => {
      await page.evaluate(`window.dispatchEvent(new Event('focus'))`);
      return readTexts(state(page));
    },
    ([text]) => text === expected,
    `the sidebar reads ${expected}`,
  );

test('the sidebar says that all servers are up to date, and how many do not respond', async (t) => {
  const page = await dashboard.open(t, '/settings/api');
  await becomes(page, '2 servers, all up to date');
  process.kill(other.server.pid, 'SIGSTOP');
  t.after(() => process.kill(other.server.pid, 'SIGCONT'));
  await becomes(page, '1 of 2 servers responds');
  await expectAccessible(page, { wide: true });
  process.kill(other.server.pid, 'SIGCONT');
  await becomes(page, '2 servers, all up to date');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole('button', { name: /^Account menu/ }).click();
  await expectText(page.locator('.account-menu .servers'), /^2 servers, all up to date$/);
});

test('the state is requested every 15 seconds, and is unknown if a request fails', async (t) => {
  const page = await dashboard.open(t, '/help/authentication', {
    alone: true,
    expected: [httpErrorMessage(500)],
  });
  await page.clock.install();
  await page.reload();
  await expectText(state(page), /^2 servers, all up to date$/);
  let response: { status?: number; json: unknown } = { json: { total: 3, ready: 3 } };
  let asked = 0;
  await page.route('**/api/servers', (route) => {
    asked += 1;
    return route.fulfill(response);
  });
  // From now on the clock moves only when the test moves it, however long the machine takes.
  await page.clock.pauseAt(Number(await page.evaluate('Date.now()')) + 20_000);
  const becomesSoon = (expected: string) =>
    waitUntil(
      async () => {
        await page.clock.runFor(10);
        return readTexts(state(page));
      },
      ([text]) => text === expected,
      `the sidebar reads ${expected}`,
    );
  await becomesSoon('3 servers, all up to date');
  response = { status: 500, json: {} };
  const before = asked;
  await page.clock.runFor(13_000);
  // A request that the page has sent is seen before this one.
  await page.evaluate(`fetch('/healthz').then(() => undefined)`);
  assert.equal(asked, before, 'not sooner');
  await page.clock.runFor(2_000);
  await becomesSoon('Server status unknown');
  await page.unroute('**/api/servers');
  await page.clock.runFor(15_000);
  await becomesSoon('2 servers, all up to date');
});

test('with a single server, the sidebar shows no state and requests it only once', async (t) => {
  const single = await Dashboard.shared();
  const page = await single.open(t, '/help/authentication', { alone: true });
  // Ends the request of the page just opened, which the next line would otherwise take for that of the new page.
  await page.goto('about:blank');
  await page.clock.install();
  const first = page.waitForResponse('**/api/servers');
  await page.goto(`${single.server.url}/help/authentication`);
  assert.deepEqual(await (await first).json(), { total: 1, ready: 1 });
  await waitUntilLoaded(page);
  let requests = 0;
  page.on('request', (request) => {
    if (request.url().endsWith('/api/servers')) requests += 1;
  });
  await page.clock.runFor(60_000);
  await waitUntilLoaded(page);
  assert.equal(requests, 0);
  assert.equal(await state(page).count(), 0);
});
