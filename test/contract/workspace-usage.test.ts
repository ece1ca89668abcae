/** GET /v1/usage: the requests of a workspace, its busiest keys, and those that are rejected most. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msPerDay, msPerHour } from '@soku/contract/instant';
import { type WorkspaceUsage, workspaceUsageSchema } from '@soku/contract/usage';
import { generateKey } from '@soku/key';
import { assertProblem, Contract, eventually } from '../support/contract.ts';
import { runSqlOn } from '../support/run-sql.ts';
import { addAccount, openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
// New workspaces, which have no requests.
const ada = await openSession(server, await addAccount(server));
const bob = await openSession(server, await addAccount(server));

async function usage(query = '', as = ada): Promise<WorkspaceUsage> {
  const response = await contract.call('GET', `/v1/usage${query}`, { as });
  assert.equal(response.status, 200, response.text);
  return workspaceUsageSchema.strict().parse(response.body);
}

const use = async (key: string, times: number, path = '/v1/verify') => {
  for (let i = 0; i < times; i++) await contract.call('GET', path, { key });
};

/** The hours of both days, in order. */
const hoursOf = ({ today, yesterday }: WorkspaceUsage) => [...yesterday.hours, ...today.hours];

/** Requests of the last day: those of today may be of yesterday when the test ends after midnight. */
function recent(found: WorkspaceUsage) {
  const refusedBy: Record<string, number> = {};
  for (const hour of hoursOf(found))
    for (const [code, requests] of Object.entries(hour.refusedBy))
      refusedBy[code] = (refusedBy[code] ?? 0) + requests;
  const sum = (of: 'accepted' | 'refused') => hoursOf(found).reduce((total, hour) => total + hour[of], 0);
  return { accepted: sum('accepted'), refused: sum('refused'), refusedBy };
}

test('a workspace without requests has hours with zeros and no rankings', async () => {
  const found = await usage('', bob);
  assert.deepEqual(recent(found), { accepted: 0, refused: 0, refusedBy: {} });
  assert.deepEqual([found.busiest, found.mostRefused], [[], []]);
  const { today, yesterday } = found;
  assert.equal(Date.parse(today.from) % msPerDay, 0, 'midnight UTC');
  assert.equal(today.from, yesterday.to);
  assert.equal(yesterday.hours.length, 24);
  assert.ok(
    Math.abs(Date.parse(today.to) - msPerHour / 2 - Date.now()) < msPerHour,
    'the current hour is last',
  );
  const starts = hoursOf(found).map(({ hour }) => Date.parse(hour));
  assert.deepEqual(
    starts,
    starts.map((_, i) => Date.parse(yesterday.from) + i * msPerHour),
  );
});

test('requests are counted at once, by outcome, and keys are ranked', async () => {
  const expired = await ada.createKey({ name: 'expired' });
  await runSqlOn(server, 'UPDATE api_key SET expires_at = created_at + 1 WHERE id = ?', expired.key.id);
  const keys = await Promise.all(
    ['quiet', 'busy', 'rejected', 'revoked'].map((name) => ada.createKey({ name })),
  );
  const [quiet = '', busy = '', rejected = '', revoked = ''] = keys.map(({ apiKey }) => apiKey);
  await use(quiet, 1);
  await use(busy, 5);
  await use(rejected, 4, '/v1/api-keys');
  await ada.revoke(keys[3]?.key.id ?? '');
  await use(revoked, 2);
  await use(expired.apiKey, 1);
  // No key has these credentials, so they are of no workspace.
  await use(generateKey(), 3);
  const found = await usage();
  assert.deepEqual(recent(found), {
    accepted: 6,
    refused: 7,
    refusedBy: { insufficient_scope: 4, revoked_key: 2, expired_key: 1 },
  });
  for (const { accepted, refused, refusedBy, hours } of [found.today, found.yesterday]) {
    assert.equal(
      accepted,
      hours.reduce((sum, hour) => sum + hour.accepted, 0),
    );
    assert.equal(
      refused,
      Object.values(refusedBy).reduce((sum, requests) => sum + requests, 0),
    );
  }
  assert.deepEqual(
    found.busiest.map(({ key, accepted }) => [key.name, accepted]),
    [
      ['busy', 5],
      ['quiet', 1],
    ],
  );
  assert.deepEqual(
    found.mostRefused.map(({ key, refusedBy }) => [key.name, key.status, refusedBy]),
    [
      ['rejected', 'active', { insufficient_scope: 4 }],
      ['revoked', 'revoked', { revoked_key: 2 }],
      ['expired', 'expired', { expired_key: 1 }],
    ],
  );
  assert.deepEqual(recent(await usage('', bob)).accepted, 0, 'another workspace has none of them');
});

test('the day begins at the hour that the caller requests, and the day before is compared', async () => {
  const { key } = await ada.createKey({ name: 'yesterday' });
  const thisHour = Math.floor(Date.now() / msPerHour);
  for (const [hoursAgo, requests] of [
    [3, 10],
    [20, 100],
    [30, 1000],
    [60, 10_000],
  ]) {
    await runSqlOn(
      server,
      `INSERT INTO usage_total (hour, workspace_id, outcome, requests)
       SELECT CAST(? AS INTEGER), workspace_id, 'accepted', CAST(? AS BIGINT) FROM api_key WHERE id = ? RETURNING hour`,
      ...[thisHour - (hoursAgo ?? 0), requests ?? 0].map(String),
      key.id,
    );
  }
  const days = async (hoursAgo: number) => {
    const start = new Date((thisHour - hoursAgo) * msPerHour).toISOString();
    // The same time in another time zone.
    const local = new Date((thisHour - hoursAgo + 2) * msPerHour).toISOString().replace('Z', '+02:00');
    const { today, yesterday } = await usage(`?dayStart=${encodeURIComponent(local)}`);
    assert.equal(today.from, start);
    assert.equal(yesterday.from, new Date((thisHour - hoursAgo - 24) * msPerHour).toISOString());
    // Without the few requests of the other tests.
    return [today.accepted, yesterday.accepted].map((count) => count - (count % 10));
  };
  assert.deepEqual(await days(2), [0, 110]);
  assert.deepEqual(await days(3), [10, 100]);
  assert.deepEqual(await days(23), [110, 1000]);
  for (const start of [
    new Date((thisHour + 2) * msPerHour).toISOString(),
    new Date((thisHour - 25) * msPerHour).toISOString(),
    new Date((thisHour - 3) * msPerHour + 1).toISOString(),
    'today',
    '',
  ]) {
    const response = await contract.call('GET', `/v1/usage?dayStart=${encodeURIComponent(start)}`, {
      as: ada,
    });
    assert.deepEqual(
      assertProblem(response, 'invalid_request').details?.map(({ path }) => path),
      ['dayStart'],
      start,
    );
  }
});

test('a key needs keys:read, and sees its own workspace', async () => {
  const reader = await bob.createKey({ name: 'reader', scopes: ['keys:read'] });
  const { busiest } = await eventually(
    async () => {
      const response = await contract.call('GET', '/v1/usage', { key: reader.apiKey });
      return workspaceUsageSchema.parse(response.body);
    },
    // A ranking can be some seconds old on a slow machine.
    (found) => found.busiest.length > 0,
  );
  assert.deepEqual(
    busiest.map(({ key }) => key.id),
    [reader.key.id],
  );
  const plain = await bob.createKey({ name: 'plain' });
  assertProblem(await contract.call('GET', '/v1/usage', { key: plain.apiKey }), 'insufficient_scope');
  assertProblem(await contract.call('GET', '/v1/usage'), 'missing_authorization');
});
