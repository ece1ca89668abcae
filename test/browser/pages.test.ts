/** Every page is accessible in both themes and on a small screen, has a title and logs nothing to the console. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { scriptSizes } from '../support/script-sizes.ts';
import { isAccessible, settled } from './accessibility.ts';
import { Dashboard, httpErrorMessage } from './dashboard.ts';
import { heading } from './key-pages.ts';
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
  on?: Dashboard;
  signedOut?: boolean;
  expected?: RegExp[];
}

const missing = `key_${'0'.repeat(26)}`;
const cases: Case[] = [
  { what: 'the login page', path: '/login', signedOut: true },
  { what: 'the setup page', path: '/setup', on: unset },
  { what: 'the overview', path: '/' },
  { what: 'the overview over 30 days', path: '/?range=30d' },
  { what: 'the overview without keys', path: '/', on: empty },
  { what: 'the account', path: '/settings/account' },
  { what: 'the list of keys', path: '/settings/api?status=all' },
  { what: 'the list without keys', path: '/settings/api', on: empty },
  { what: 'the list without search results', path: '/settings/api?q=nothing%20like%20it' },
  { what: 'the page of a key', path: `/settings/api/${key.id}` },
  { what: 'the page of a key over 7 days', path: `/settings/api/${key.id}?range=7d` },
  { what: 'the page of a key over 90 days', path: `/settings/api/${key.id}?range=90d` },
  { what: 'the access of a key', path: `/settings/api/${key.id}?tab=access` },
  { what: 'the secret of a key', path: `/settings/api/${key.id}?tab=secrets` },
  { what: 'the secrets of a key that is being rotated', path: `/settings/api/${rotated.id}?tab=secrets` },
  { what: 'the secrets of an unfinished rotation', path: `/settings/api/${unfinished.id}?tab=secrets` },
  { what: 'the secret of a revoked key', path: `/settings/api/${revoked.id}?tab=secrets` },
  { what: 'the activity of a key', path: `/settings/api/${key.id}?tab=activity` },
  { what: 'the page of an unused key', path: `/settings/api/${unused.id}` },
  { what: 'the page of a revoked key', path: `/settings/api/${revoked.id}` },
  { what: 'the access of a revoked key', path: `/settings/api/${revoked.id}?tab=access` },
  { what: 'the page of an unknown key', path: `/settings/api/${missing}`, expected: [httpErrorMessage(404)] },
  { what: 'the import', path: '/settings/api/import' },
  { what: 'the scopes', path: '/settings/api/scopes' },
  { what: 'the hygiene of keys', path: '/settings/api/hygiene' },
  { what: 'the policies of keys', path: '/settings/api/hygiene?panel=policies' },
  { what: 'the webhooks', path: '/settings/webhooks' },
  { what: 'the audit log', path: '/settings/audit' },
  { what: 'the audit log without matching entries', path: '/settings/audit?action=account.password_reset' },
  { what: 'the help on keys', path: '/help/api-key-management' },
  { what: 'the help on rotating a key', path: '/help/rotate-a-key' },
  { what: 'the help on authentication', path: '/help/authentication' },
  { what: 'the help on protecting an API', path: '/help/protect-an-api' },
  { what: 'the troubleshooting page', path: '/help/api-troubleshooting#revoked_key' },
  { what: 'the troubleshooting page without a login', path: '/help/api-troubleshooting', signedOut: true },
  { what: 'the reference', path: '/docs' },
  { what: 'an unknown page', path: '/nowhere', expected: [httpErrorMessage(404)] },
];

for (const { what, path, on = dashboard, signedOut = false, expected = [] } of cases) {
  test(`${what} (${path}) has no axe violations and does not scroll sideways`, async (t) => {
    const page = await on.open(t, path, { expected, ...(signedOut ? { as: null } : {}) });
    await settled(page);
    await isAccessible(page);
    assert.equal(await heading(page).count(), 1, 'exactly one first-level heading');
    assert.match(await page.title(), /^.+ · Soku$/);
  });
}

test('on a very wide screen no page scrolls sideways, and long names stay inside their cells', async (t) => {
  const page = await dashboard.open(t, '/settings/api?status=all', {
    viewport: { width: 2560, height: 1440 },
  });
  await settled(page);
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
