/** Data of an earlier version stays usable: 0009.json.gz is from the version before the audit log (record.ts). */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { auditPageSchema } from '@soku/contract/audit';
import { workspaceUsageSchema } from '@soku/contract/usage';
import { workspaceSchema } from '@soku/contract/workspaces';
import { z } from 'zod';
import { BackupFixture, kinds } from '../backup/fixture.ts';
import { clockEnvironment } from '../support/clock.ts';
import { assertProblem, eventually } from '../support/contract.ts';
import { bearer, call, Person } from '../support/person.ts';
import { type TestServer, testSecret } from '../support/server.ts';
import { prefix, type Recording, readRecording, unpack, writeSqlite } from './recording.ts';

const file = '0009.json.gz';
/** Names of recorded keys, and the results of requests with them. */
const active = ['live', 'parent', 'child', 'expiring', 'unlimited'];
const rejected = { expired: 'expired_key', revoked: 'revoked_key', revokedLater: 'revoked_key' } as const;

const listSchema = z.object({ data: z.array(z.looseObject({ id: z.string() })) });
const hoursSchema = z.looseObject({ hours: z.array(z.looseObject({ accepted: z.int(), refused: z.int() })) });

/** A server whose clock continues where the recording ended; otherwise its session and limits would have expired. */
function startAfter({ at }: Recording, fixture: BackupFixture): Promise<TestServer> {
  return fixture.start(fixture.dataDir, { ...clockEnvironment(at + 30_000), SOKU_SECRET: testSecret });
}

/** Only the hours with requests of the last day: a slow machine may already be in the next hour. */
function withoutEmptyHours(usage: unknown): unknown {
  // That version did not return `refusedBy`.
  const { from, to, hours, refusedBy, secrets, ...rest } = hoursSchema.parse(usage);
  return { ...rest, hours: hours.filter(({ accepted, refused }) => accepted + refused > 0) };
}

function keyOf({ keys }: Recording, name: string): string {
  return `${prefix}${keys[name]?.secret}`;
}

async function use(server: TestServer, recording: Recording, name: string) {
  return call(`${server.url}/v1/me`, { headers: bearer(keyOf(recording, name)) });
}

async function assertKeysAsBefore(server: TestServer, recording: Recording): Promise<void> {
  for (const name of active) {
    const response = await use(server, recording, name);
    assert.equal(response.status, 200, `${name}: ${response.text}`);
  }
  for (const [name, code] of Object.entries(rejected)) {
    // The time in this response is that of the shifted clock.
    assertProblem(await use(server, recording, name), code, recording.at + 60_000);
  }
}

/** Lists sort by the recorded last uses, and the workspace has the recorded requests. */
async function assertUsageAsBefore(
  { before }: Recording,
  get: (path: string) => Promise<unknown>,
): Promise<void> {
  const usedAt = (key: Record<string, unknown>) => Date.parse(String(key.lastUsedAt ?? '')) || 0;
  const byLastUse = listSchema.parse(before.list).data.toSorted((a, b) => usedAt(b) - usedAt(a));
  const sorted = listSchema.parse(await get('/v1/api-keys?status=all&limit=100&sort=lastUsed')).data;
  assert.deepEqual(
    sorted.map(({ id }) => id),
    byLastUse.map(({ id }) => id),
  );
  const hours = Object.values(before.usage).flatMap((usage) => hoursSchema.parse(usage).hours);
  const sum = (of: 'accepted' | 'refused') => hours.reduce((total, hour) => total + hour[of], 0);
  const { today, yesterday, mostRefused } = workspaceUsageSchema.parse(await get('/v1/usage'));
  assert.equal(today.accepted + yesterday.accepted, sum('accepted'));
  assert.equal(
    mostRefused.reduce((total, { refusedBy }) => total + (refusedBy.other ?? 0), 0),
    sum('refused'),
    'without their codes',
  );
}

async function verifyLog(fixture: BackupFixture, expected: RegExp): Promise<void> {
  const { code, output } = await fixture.operate(['audit', 'verify']);
  assert.equal(code, 0, output);
  assert.match(output, expected);
}

for (const kind of kinds) {
  const recording = readRecording(file, kind);
  const { before, cookie, keys } = recording;
  const idOf = (name: string) => keys[name]?.id ?? '';

  test(`${kind}: keys, sessions, limits, usage and the journal of an earlier version stay usable`, async (t) => {
    const fixture = await BackupFixture.of(t, kind);
    await unpack(recording, fixture);
    // An operator creates a backup before the upgrade, perhaps with the new version. It changes nothing.
    assert.equal((await fixture.operate(['backup', fixture.inBackupDir('before the upgrade')])).code, 0);
    if (kind === 'sqlite') {
      // On PostgreSQL this command upgrades the database.
      const { code, output } = await fixture.operate(['audit', 'verify']);
      assert.equal(code, 65, output);
      assert.match(output, /has no audit log yet\. Start the server once/);
    }
    const server = await startAfter(recording, fixture);
    const ada = new Person(server.url, cookie);
    const get = async (path: string) => {
      const response = await ada.call('GET', path);
      assert.equal(response.status, 200, response.text);
      return response.body;
    };

    const former = listSchema.parse(before.list).data;
    const present = listSchema.parse(await get('/v1/api-keys?status=all&limit=100')).data;
    assert.deepEqual(
      present.map((key, i) =>
        Object.fromEntries(Object.keys(former[i] ?? {}).map((field) => [field, key[field]])),
      ),
      former,
    );
    assert.equal(present.length, Object.keys(keys).length);
    // That version had no policies.
    const days = { maxKeyLifetimeDays: null, maxSecretAgeDays: null, maxKeyIdleDays: null };
    const policies = { ...days, requireKeyExpiry: false, revokeLeakedKeys: false };
    assert.deepEqual(workspaceSchema.parse(await get('/v1/workspace')), {
      ...z.looseObject({}).parse(before.workspace),
      ...policies,
    });
    for (const { id } of present) {
      const usage = withoutEmptyHours(await get(`/v1/api-keys/${id}/usage`));
      assert.deepEqual(usage, withoutEmptyHours(before.usage[id]));
    }
    await assertUsageAsBefore(recording, get);
    assert.deepEqual(auditPageSchema.parse(await get('/v1/audit')).data, []);
    await verifyLog(fixture, /Verified 0 events in 0 chains/);

    await assertKeysAsBefore(server, recording);
    for (const [name, limit] of [
      ['live', '5000'],
      ['parent', '70'],
      ['child', '7'],
      ['unlimited', null],
    ] as const) {
      assert.equal((await use(server, recording, name)).headers.get('x-ratelimit-limit'), limit, name);
    }
    // The session is too old to create keys with.
    const recent = await server.signIn();
    const again = { 'idempotency-key': 'token of live' };
    const replayed = await recent.call('POST', '/v1/api-keys', { name: 'once more' }, again);
    const problem = assertProblem(replayed, 'idempotency_replayed', recording.at + 60_000);
    assert.equal(problem.details?.[0]?.keyId, idOf('live'));

    const journal = recording.journal.match(/^[0-9a-f]{64}/gm) ?? [];
    assert.equal(journal.length, 2);
    assert.deepEqual(
      await eventually(
        async () => fixture.journal(),
        ({ length }) => length > 0,
      ),
      journal,
    );
    const { key } = await recent.createKey({ name: 'new' });
    await ada.call('PATCH', `/v1/api-keys/${idOf('live')}`, { name: 'renamed' });
    await ada.call('POST', `/v1/api-keys/${idOf('parent')}/revoke`, { descendants: true });
    for (const name of ['parent', 'child']) {
      assertProblem(await use(server, recording, name), 'revoked_key', recording.at + 60_000);
    }
    const events = auditPageSchema
      .parse(await get('/v1/audit'))
      .data.filter(({ action }) => action !== 'key.ended_secret_used');
    assert.deepEqual(
      events.map(({ action, target }) => `${action} ${target.id}`).sort(),
      [
        `account.signed_in ${events.at(-1)?.target.id}`,
        `key.created ${key.id}`,
        `key.updated ${idOf('live')}`,
        ...['parent', 'child'].map((name) => `key.revoked ${idOf(name)}`),
      ].sort(),
    );
    await server.kill('SIGTERM');
    // Also, that four revoked keys were used.
    await verifyLog(fixture, /Verified 9 events in 2 chains/);
    assert.equal(fixture.journal().length, 4);
    // A downgrade finds its journal unchanged.
    assert.equal(readFileSync(join(fixture.dataDir, 'dead-hashes'), 'utf8'), recording.journal);
  });

  test(`${kind}: a backup of an earlier version is restored, and the journal revokes keys that were revoked later`, async (t) => {
    const fixture = await BackupFixture.of(t, kind);
    const backup = fixture.inBackupDir('backup');
    writeSqlite(backup, recording.backup);
    writeFileSync(join(fixture.dataDir, 'dead-hashes'), recording.journal);
    // With the clock of the server, because events are sealed in the order of their times.
    const clock = clockEnvironment(recording.at + 30_000);
    const { code, output } = await fixture.operateAsProcess(['restore', backup], clock);
    assert.equal(code, 0, output);
    assert.match(output, /1 active key revoked again/);
    const server = await startAfter(recording, fixture);
    // A restored backup contains no sessions.
    assert.equal((await new Person(server.url, cookie).call('GET', '/v1/api-keys')).status, 401);
    const ada = await server.signIn();
    // Other keys were used again after the backup.
    const usage = await ada.call('GET', `/v1/api-keys/${idOf('parent')}/usage`);
    assert.deepEqual(withoutEmptyHours(usage.body), withoutEmptyHours(before.usage[idOf('parent')]));
    await assertKeysAsBefore(server, recording);
    await server.kill('SIGTERM');
    // Restored, revoked by the journal, signed in, and two revoked keys used.
    await verifyLog(fixture, /Verified 5 events in 2 chains/);
  });
}
