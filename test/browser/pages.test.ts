/** Every page is accessible in both themes and on a small screen, has a title and logs nothing to the console. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { scriptSizes } from '../support/script-sizes.ts';
import { expectAccessible, waitUntilLoaded } from './accessibility.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import { waitUntil } from './expect.ts';
import { heading, visit } from './key-pages.ts';
import { recordHours, recordLastUse } from './recorded-usage.ts';
import { ageRotation, rotate } from './rotating.ts';

const dashboard = await Dashboard.inNewWorkspace();
const empty = await Dashboard.inNewWorkspace();
const unset = await Dashboard.start({ SOKU_OWNER_EMAIL: undefined, SOKU_OWNER_PASSWORD: undefined });
after(() => unset.stop());

const soon = new Date(Date.now() + 3 * 24 * 60 * 60 * 1000).toISOString();
const { key } = await dashboard.ada.createKey({ name: 'Everywhere', scopes: ['keys:read'], expiresAt: soon });
const longName = 'Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz'.padEnd(100, 'x');
const { key: unused } = await dashboard.ada.createKey({ name: longName });
const { key: revoked } = await dashboard.ada.createKey({ name: `Ended ${longName}`.slice(0, 100) });
await dashboard.ada.revoke(revoked.id);
for (const { id } of [key, revoked]) {
  await recordHours(
    dashboard,
    id,
    [0, 1, 2, 50, 51, 500].map((hoursAgo) => ({ hoursAgo, accepted: 1_234_567, refused: 40 })),
  );
  await recordLastUse(dashboard, id, {
    at: Date.now() - 5000,
    address: '2001:db8:1234:5678:9abc:def0:1234:5678',
    agent: 'Rindfleischetikettierungsüberwachungsaufgabenübertragungsprogramm/1.0'.repeat(2),
  });
}

const { key: rotated } = await dashboard.ada.createKey({ name: `Rotated ${longName}`.slice(0, 100) });
for (const graceSeconds of [0, 604_800, 3600])
  await rotate(dashboard, rotated.id, { graceSeconds, startGrace: 'now' });
const { key: unfinished } = await dashboard.ada.createKey({ name: 'Unfinished' });
await rotate(dashboard, unfinished.id, { graceSeconds: 86_400, startGrace: 'firstUse' });
await ageRotation(dashboard, unfinished.id, 5);

interface Case {
  what: string;
  path: string;
  /** In the tab of the browser, before the name of the product. */
  title: string;
  on?: Dashboard;
  signedOut?: boolean;
  /** Whether all rules run on a wide screen as well: pages that show the parts which a small one does not. */
  wide?: boolean;
  expected?: RegExp[];
}

const missing = `key_${'0'.repeat(26)}`;

/** Pages that need a load of their own: of other people and servers, and those whose load fails. */
const loaded: Case[] = [
  { what: 'the login page', path: '/login', title: 'Sign in', signedOut: true, wide: true },
  { what: 'the setup page', path: '/setup', title: 'Set up Soku', on: unset },
  { what: 'the overview without keys', path: '/', title: 'Overview', on: empty },
  { what: 'the list without keys', path: '/settings/api', title: 'API keys', on: empty },
  {
    what: 'a help page without a login',
    path: '/help/rotate-a-key',
    title: 'Rotate a key, help',
    signedOut: true,
    wide: true,
  },
  {
    what: 'the page of an unknown key',
    path: `/settings/api/${missing}`,
    title: 'Key not found',
    expected: [httpErrorMessage(404)],
  },
  {
    what: 'an unknown page',
    path: '/nowhere',
    title: 'Page not found',
    expected: [httpErrorMessage(404)],
  },
];

/** The others, in an order in which the title always changes. */
const linked: Case[] = [
  { what: 'the overview over 30 days', path: '/?range=30d', title: 'Overview' },
  { what: 'the account', path: '/settings/account', title: 'Account' },
  { what: 'the overview', path: '/', title: 'Overview', wide: true },
  { what: 'the list of keys', path: '/settings/api?status=all', title: 'API keys', wide: true },
  { what: 'the page of a key', path: `/settings/api/${key.id}`, title: `${key.name}, API key` },
  {
    what: 'the access of a key',
    path: `/settings/api/${key.id}?tab=access`,
    title: `${key.name}, access of an API key`,
  },
  {
    what: 'the page of a key over 7 days',
    path: `/settings/api/${key.id}?range=7d`,
    title: `${key.name}, API key`,
  },
  {
    what: 'the secret of a key',
    path: `/settings/api/${key.id}?tab=secrets`,
    title: `${key.name}, secrets of an API key`,
  },
  {
    what: 'the page of a key over 90 days',
    path: `/settings/api/${key.id}?range=90d`,
    title: `${key.name}, API key`,
  },
  {
    what: 'the activity of a key',
    path: `/settings/api/${key.id}?tab=activity`,
    title: `${key.name}, activity of an API key`,
  },
  {
    what: 'the list without search results',
    path: '/settings/api?q=nothing%20like%20it',
    title: 'API keys',
  },
  {
    what: 'the secrets of a key that is being rotated',
    path: `/settings/api/${rotated.id}?tab=secrets`,
    title: `${rotated.name}, secrets of an API key`,
    wide: true,
  },
  {
    what: 'the secrets of an unfinished rotation',
    path: `/settings/api/${unfinished.id}?tab=secrets`,
    title: `${unfinished.name}, secrets of an API key`,
  },
  {
    what: 'the secret of a revoked key',
    path: `/settings/api/${revoked.id}?tab=secrets`,
    title: `${revoked.name}, secrets of an API key`,
  },
  {
    what: 'the page of an unused key',
    path: `/settings/api/${unused.id}`,
    title: `${unused.name}, API key`,
  },
  {
    what: 'the page of a revoked key',
    path: `/settings/api/${revoked.id}`,
    title: `${revoked.name}, API key`,
    wide: true,
  },
  {
    what: 'the access of a revoked key',
    path: `/settings/api/${revoked.id}?tab=access`,
    title: `${revoked.name}, access of an API key`,
  },
  { what: 'the import', path: '/settings/api/import', title: 'Import keys' },
  { what: 'the scopes', path: '/settings/api/scopes', title: 'Scopes' },
  { what: 'the hygiene of keys', path: '/settings/api/hygiene', title: 'Hygiene', wide: true },
  { what: 'the webhooks', path: '/settings/webhooks', title: 'Webhooks' },
  { what: 'the policies of keys', path: '/settings/api/hygiene?panel=policies', title: 'Hygiene' },
  { what: 'the audit log', path: '/settings/audit', title: 'Audit log', wide: true },
  { what: 'the help on keys', path: '/help/api-key-management', title: 'API key management, help' },
  {
    what: 'the audit log without matching entries',
    path: '/settings/audit?action=account.password_reset',
    title: 'Audit log',
  },
  { what: 'the help on rotating a key', path: '/help/rotate-a-key', title: 'Rotate a key, help' },
  {
    what: 'the help on authentication',
    path: '/help/authentication',
    title: 'Authentication, help',
    wide: true,
  },
  {
    what: 'the help on protecting an API',
    path: '/help/protect-an-api',
    title: 'Protect an API, help',
    wide: true,
  },
  {
    what: 'the troubleshooting page',
    path: '/help/api-troubleshooting#revoked_key',
    title: 'API troubleshooting, help',
  },
  { what: 'the reference', path: '/docs', title: 'API reference' },
];

const promise = 'has no axe violations and does not scroll sideways';

async function isSound(page: Page, { wide = false }: Case): Promise<void> {
  await waitUntilLoaded(page);
  await expectAccessible(page, { wide });
  assert.equal(await heading(page).count(), 1, 'exactly one first-level heading');
}

for (const one of loaded) {
  const { what, path, title, on = dashboard, signedOut = false, expected = [] } = one;
  test(`${what} (${path}) ${promise}`, async (t) => {
    const page = await on.open(t, path, { expected, ...(signedOut ? { as: null } : {}) });
    await isSound(page, one);
    assert.equal(await page.title(), `${title} · Soku`);
  });
}

test('the pages of one user, in one page load', async (t) => {
  const page = await dashboard.open(t, '/nowhere', { expected: [httpErrorMessage(404)] });
  await waitUntilLoaded(page);
  for (const one of linked) {
    const { what, path, title } = one;
    await t.test(`${what} (${path}) ${promise}`, async () => {
      // The page before stays until the next one is ready. Only the title shows which one it is.
      assert.notEqual(await page.title(), `${title} · Soku`, 'the page before has another title');
      await visit(page, path);
      await waitUntil(
        () => page.title(),
        (shown) => shown === `${title} · Soku`,
        `the title is ${title}`,
      );
      await isSound(page, one);
    });
  }
});

test('on a very wide screen no page scrolls sideways, and long names stay inside their cells', async (t) => {
  const page = await dashboard.open(t, '/settings/api?status=all', {
    viewport: { width: 2560, height: 1440 },
  });
  await waitUntilLoaded(page);
  assert.equal(await page.evaluate('document.documentElement.scrollWidth > innerWidth'), false);
  const content = await page.locator('.shell__content').boundingBox();
  assert.ok(content && content.width <= 1200 + 2 * 32, 'the content stays narrow enough to read');
});

test('/settings/api loads less than 150 kB of JavaScript', async (t) => {
  const page = await dashboard.open(t, '/healthz', { alone: true });
  const sizes = await scriptSizes(page, `${dashboard.server.url}/settings/api`);
  const total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  assert.ok(sizes.size > 3, 'the scripts of the page were recorded');
  assert.ok(total < 150_000, `${total} bytes: ${JSON.stringify([...sizes])}`);
});
