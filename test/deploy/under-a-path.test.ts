/** The whole dashboard and the Public API under a path: deploy/nginx-path.conf, a real nginx, and a real browser. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type APIRequestContext, type Page, request as requests } from 'playwright-core';
import { z } from 'zod';
import { expectFocus, expectText, waitUntil } from '../browser/expect.ts';
import { activeChoice, jumpInput, openJump } from '../browser/jump-pages.ts';
import * as keys from '../browser/key-pages.ts';
import { newPage, sharedBrowser } from '../support/browser.ts';
import { codeBlocks } from '../support/markdown.ts';
import { bearer } from '../support/person.ts';
import { owner, root } from '../support/server.ts';
import { testTimeoutMs } from '../support/test-timeout.ts';
import { skipWithoutNginx as skip, startTlsProxy } from './tls-proxy.ts';

const example = 'deploy/nginx-path.conf';
const path = '/soku';

test('the documentation shows the tested file unchanged', () => {
  const shown = codeBlocks('docs/operations/deploy.md', `nginx file=${example}`);
  assert.deepEqual(shown, [readFileSync(join(root, example), 'utf8')]);
});

test('people and programs use Soku under a path, and nothing leaves it', { skip }, async (t) => {
  const { url, page, requested, site, client, server } = await start(t);
  const isAt = (address: string) =>
    waitUntil(
      () => Promise.resolve(page.url()),
      (now) => now === url + address,
      `the address is ${address}`,
    );

  await server.printed('Set up Soku');
  const [, code = ''] = /Set up Soku: \S+\/soku\/setup\?code=([\w-]+)/.exec(server.output) ?? [];
  await page.goto(`${url}/setup?code=${code}`);
  await page.getByRole('textbox', { name: 'Your name' }).fill('Ada');
  await page.getByRole('textbox', { name: 'Email' }).fill(owner.email);
  await page.getByRole('textbox', { name: 'Password' }).fill(owner.password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await isAt('/');
  await signOut(page);
  await isAt('/login');

  await page.goto(`${url}/settings/api?status=all`);
  await isAt('/login?next=%2Fsettings%2Fapi%3Fstatus%3Dall');
  await page.getByRole('textbox', { name: 'Email' }).fill(owner.email);
  await page.getByRole('textbox', { name: 'Password' }).fill(owner.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await isAt('/settings/api?status=all');

  const apiKey = await createKey(page);
  await isUsable(client, url, apiKey);
  await page.goto(`${url}/settings/api?q=${apiKey}`);
  await waitUntil(
    () => Promise.resolve(page.url()),
    (now) => now.startsWith(`${url}/settings/api?hash=`),
    'the key left the address',
  );
  await keys.row(page, 'Production').waitFor();

  const cookies = await page.context().cookies();
  assert.equal(cookies.length, 2, 'the session and the device');
  for (const { name, path: sentTo, secure, httpOnly } of cookies) {
    assert.match(name, /^__Secure-soku_session_/);
    assert.deepEqual({ sentTo, secure, httpOnly }, { sentTo: path, secure: true, httpOnly: true });
  }

  const opened = await openAllPages(page, client, url);
  // These have no link on other pages, only commands.
  for (const [name, address] of [
    ['Scopes', '/settings/api/scopes'],
    ['Hygiene', '/settings/api/hygiene'],
    ['Import keys', '/settings/api/import'],
  ] as const) {
    await openJump(page);
    await jumpInput(page).fill(name);
    await expectText(activeChoice(page), new RegExp(`^${name}`));
    await page.keyboard.press('Enter');
    await isAt(address);
    await page.reload();
    await keys.heading(page).waitFor();
  }
  for (const one of [
    '/settings/account',
    '/settings/api',
    '/settings/audit',
    '/docs',
    '/help/protect-an-api',
  ])
    assert.ok(opened.includes(path + one), `${one} was opened: ${opened}`);
  assert.ok(
    opened.some((one) => /\/settings\/api\/key_\w+$/.test(one)),
    'the page of the key was opened',
  );

  const elsewhere = requested.filter((one) => one !== url && !one.startsWith(`${url}/`));
  assert.deepEqual(elsewhere, [], 'nothing left the path');
  assert.ok(requested.length > 100, 'the requests were recorded');
  assert.deepEqual(site.cookies, [], 'nothing reached the other application of the site');

  const { origin } = new URL(url);
  await page.context().addCookies([{ name: 'theirs', value: '1', url: origin }]);
  await page.goto(`${origin}/`);
  assert.deepEqual(site.cookies, ['theirs=1'], 'the other application received no cookie of Soku');

  await page.goto(url);
  await isAt('/');
  await signOut(page);
  await isAt('/login');
});

/** nginx with the documented configuration, Soku without an account, and another application at the root. */
async function start(t: TestContext) {
  // First, because what was added first ends first: a page whose server has stopped would report it.
  const insecure = { ignoreHTTPSErrors: true };
  const { page, problems } = await newPage(await sharedBrowser(), { ...insecure, reducedMotion: 'reduce' });
  page.setDefaultTimeout(testTimeoutMs);
  const requested: string[] = [];
  page.context().on('request', (request) => requested.push(request.url()));
  const client = await requests.newContext(insecure);
  t.after(async () => {
    await client.dispose();
    await page.context().close();
    assert.deepEqual(problems, [], 'no console messages');
  });
  const site: { cookies: string[] } = { cookies: [] };
  const other = createServer(({ headers: { cookie = '' } }, response) => {
    site.cookies.push(cookie);
    response
      .setHeader('content-type', 'text/html')
      .end('<link rel="icon" href="data:,">The rest of the site');
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = z.object({ port: z.number() }).parse(other.address());
  const env = { SOKU_OWNER_EMAIL: undefined, SOKU_OWNER_PASSWORD: undefined };
  const { url, server } = await startTlsProxy(t, { example, host: 'example.com', path, env, site: port });
  return { url, page, requested, site, client, server };
}

async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Account menu/ }).click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
}

/** Creates a key with the dialog, and tests it there. */
async function createKey(page: Page): Promise<string> {
  await keys.generateButton(page).first().click();
  await expectFocus(keys.nameField(page));
  await keys.nameField(page).fill('Production');
  await keys.createButton(page).click();
  const apiKey = await keys.readShownKey(page);
  await page.getByRole('tab', { name: 'curl' }).click();
  await expectText(keys.dialog(page), /curl https:\/\/localhost:\d+\/soku\/v1\/me/);
  await page.getByRole('button', { name: 'Test key' }).click();
  await expectText(keys.dialog(page), /200: the key works/);
  await keys.doneButton(page).click();
  await keys.row(page, 'Production').waitFor();
  return apiKey;
}

/** A program verifies the key below the path, and nowhere else. */
async function isUsable(client: APIRequestContext, url: string, apiKey: string): Promise<void> {
  const status = async (address: string) =>
    (await client.get(address, { headers: bearer(apiKey), maxRedirects: 0 })).status();
  assert.equal(await status(`${url}/v1/verify`), 204);
  assert.equal(await status(`${url}/v1/verify/orders`), 200);
  assert.equal(await status(`${url}/v1/verify?scope=keys:write`), 403);
  assert.equal(await status(`${url}/readyz`), 200);
  for (const hidden of ['/metrics', '/v1/nodes']) assert.equal(await status(url + hidden), 404);
  assert.equal(await status(url), 301, 'nginx adds the slash');
}

/**
 * Opens each page by a link, starting with the overview, and loads it again by its address. Files are downloaded.
 *
 * @returns the paths of the pages
 */
async function openAllPages(page: Page, client: APIRequestContext, url: string): Promise<string[]> {
  await page.goto(`${url}/`, { waitUntil: 'networkidle' });
  const opened = new Set([`${path}/`]);
  const files = new Set<string>();
  /** The pages to open, and a page that links to each. */
  const links = new Map<string, string>();
  const collect = async (from: string) => {
    for (const { href, address, isFile } of await linksOf(page, from)) {
      if (isFile) files.add(href);
      else if (!opened.has(address) && !links.has(address)) links.set(address, from);
    }
  };
  await collect(`${path}/`);
  for (const [address, from] of links) {
    if (opened.has(address)) continue;
    if (pathOf(page) !== from) await page.goto(new URL(from, url).href, { waitUntil: 'networkidle' });
    const title = () => keys.heading(page).textContent();
    const before = await title();
    await page.locator(`a[href^="${address}"]:visible`).first().click();
    await waitUntil(
      () => Promise.resolve(pathOf(page)),
      (now) => now.startsWith(address),
      `the link of ${from} opens ${address}`,
    );
    await waitUntil(title, (now) => now !== before, `${address} has its own heading`);
    await page.reload({ waitUntil: 'networkidle' });
    assert.notEqual(await title(), before);
    assert.doesNotMatch((await title()) ?? '', /not found|could not be displayed/i, address);
    opened.add(address).add(pathOf(page));
    await collect(pathOf(page));
  }
  const cookies = await page.context().cookies();
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  for (const file of files) {
    const response = await client.get(new URL(file, url).href, { headers: { cookie } });
    assert.equal(response.status(), 200, file);
  }
  return [...opened];
}

const pathOf = (page: Page) => new URL(page.url()).pathname;

/** The links of a page to this server. Each is below the path. */
async function linksOf(page: Page, from: string) {
  const all = await page
    .locator('a[href]')
    .evaluateAll((links) =>
      links.map((link) => [link.getAttribute('href') ?? '', link.hasAttribute('download')] as const),
    );
  const own = all.filter(([href]) => !/^(#|https?:|mailto:|blob:)/.test(href));
  return own.map(([href, isDownload]) => {
    assert.ok(href === path || href.startsWith(`${path}/`), `${from} links to ${href}`);
    const [address = ''] = href.split(/[?#]/);
    return {
      href,
      address: address === path ? `${path}/` : address,
      isFile: isDownload || /\.\w+$/.test(address),
    };
  });
}
