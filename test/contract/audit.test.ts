/** The audit log: what it records, and who may read it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type AuditEvent, auditEventSchema, auditPageSchema } from '@soku/contract/audit';
import { assertProblem, Contract, eventually } from '../support/contract.ts';
import { runOperatorInProcessOn } from '../support/operator-in-process.ts';
import { bearer, call } from '../support/person.ts';
import { runSql } from '../support/run-sql.ts';
import { runOperator } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { ada as adasAccount, bob as bobsAccount, startWithTwoAccounts } from '../support/two-accounts.ts';

const { server, stop } = await startWithTwoAccounts();
after(stop);
const contract = await Contract.of(server);
const [ada, bob] = [await openSession(server, adasAccount), await openSession(server, bobsAccount)];

const list = async (query = '', as = ada) =>
  auditPageSchema.parse((await contract.call('GET', `/v1/audit${query}`, { as })).body);
const events = async (query = '', as = ada) => (await list(query, as)).data;

/** The export after all of its events are sealed. */
async function exported(as = ada): Promise<{ text: string; events: AuditEvent[] }> {
  return eventually(
    async () => {
      const { text } = await contract.call('GET', '/v1/audit/export', { as });
      return {
        text,
        events: text
          .trim()
          .split('\n')
          .map((line) => auditEventSchema.parse(JSON.parse(line))),
      };
    },
    (found) => found.events.every(({ hash }) => hash !== null),
  );
}

/** Canonical JSON for events only: their numbers are integers, and the names of their fields are ASCII. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object'
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

test('each change of a key or a setting is recorded with its actor, its target, and the old and new values', async () => {
  const agent = { 'user-agent': 'the tests/1' };
  const creator = await ada.createKey({
    name: 'creator',
    scopes: ['keys:write', 'audit:read'],
    rateLimit: 500,
  });
  const { id } = creator.key;
  const asKey = (method: string, path: string, body?: unknown) =>
    call(`${server.url}${path}`, { method, headers: { ...bearer(creator.apiKey), ...agent }, body });
  const created = await asKey('POST', '/v1/api-keys', { name: 'child' });
  assert.equal(created.status, 201, created.text);
  const changed = await ada.call('PATCH', `/v1/api-keys/${id}`, { name: 'renamed', rateLimit: null }, agent);
  await ada.call('PATCH', `/v1/api-keys/${id}`, { name: 'renamed' });
  await ada.call('PATCH', '/v1/workspace', { rateLimit: 'off' });
  await ada.call('POST', `/v1/api-keys/${id}/revoke`, { descendants: true });
  await ada.call('POST', `/v1/api-keys/${id}/revoke`);

  const found = (await events()).filter(({ chain }) => chain !== 'accounts');
  const summaries = found.map(({ action, actor, target, changes, details }) => [
    action,
    actor.kind,
    target.name,
    changes,
    details,
  ]);
  const revoked = summaries.splice(0, 2).toSorted((a, b) => String(a[2]).localeCompare(String(b[2])));
  assert.deepEqual(revoked, [
    ['key.revoked', 'person', 'child', null, { descendantOf: id }],
    ['key.revoked', 'person', 'renamed', null, null],
  ]);
  const open = {
    environment: 'live',
    expiresAt: null,
    allowedAddresses: '',
    rateLimit: 500,
    externalId: null,
  };
  assert.deepEqual(summaries, [
    ['workspace.updated', 'person', "ada's workspace", { rateLimit: { from: null, to: 'off' } }, null],
    [
      'key.updated',
      'person',
      'renamed',
      { name: { from: 'creator', to: 'renamed' }, rateLimit: { from: 500, to: null } },
      null,
    ],
    ['key.created', 'key', 'child', null, { ...open, scopes: '' }],
    ['key.created', 'person', 'creator', null, { ...open, scopes: 'audit:read keys:write' }],
  ]);
  const byKey = found.find(({ actor }) => actor.kind === 'key');
  assert.deepEqual(
    [byKey?.actor.id, byKey?.actor.name, byKey?.actor.userAgent],
    [id, 'creator', 'the tests/1'],
  );
  assert.match(byKey?.actor.address ?? '', /^(127\.0\.0\.1|::1)$/);
  assert.equal(byKey?.actor.requestId, created.headers.get('x-request-id'));
  const update = found.find(({ action }) => action === 'key.updated');
  assert.equal(update?.actor.requestId, changed.headers.get('x-request-id'));
  const { text } = await exported();
  assert.ok(!text.includes(creator.apiKey.slice(8)), 'the log contains no key');
});

test('actions on accounts are recorded, whether by their owners or by others', async () => {
  const fresh = await server.signIn(adasAccount);
  const other = await server.signIn(adasAccount);
  await fresh.call('POST', '/api/auth/update-user', { name: 'Ada L' });
  await fresh.call('POST', '/api/auth/revoke-other-sessions', {});
  assert.equal((await other.call('GET', '/v1/api-keys')).status, 401);
  const change = { currentPassword: 'wrong wrong wrong', newPassword: 'another good password' };
  await fresh.call('POST', '/api/auth/change-password', change);
  await fresh.call('POST', '/api/auth/sign-out', {});
  const again = await server.signIn(adasAccount);
  const found = (await events('', again)).filter(({ chain }) => chain === 'accounts');
  const last = found.slice(0, 7).map(({ action, changes, details }) => [action, changes, details]);
  assert.deepEqual(last, [
    ['account.signed_in', null, { newDevice: true }],
    ['account.signed_out', null, null],
    ['account.password_change_failed', null, null],
    ['account.sessions_revoked', null, { sessions: 'others' }],
    ['account.updated', { name: { from: 'ada', to: 'Ada L' } }, null],
    ['account.signed_in', null, { newDevice: true }],
    ['account.signed_in', null, { newDevice: true }],
  ]);
  const created = found.at(-1);
  assert.deepEqual([created?.action, created?.actor.kind], ['account.created', 'operator']);
  assert.ok(found.every(({ target }) => target.id === created?.target.id));
});

test('a workspace sees only the events of itself and its members, and a key needs audit:read to read them', async () => {
  const me = await openSession(server, adasAccount);
  const { key } = await me.createKey({ name: "ada's" });
  const seen = await events('?limit=100', bob);
  assert.ok(seen.length > 0 && seen.every(({ actor }) => actor.name !== 'ada' && actor.name !== 'Ada L'));
  assert.deepEqual(await events(`?targetId=${key.id}`, bob), []);
  assert.ok(!(await exported(bob)).text.includes(key.id));
  const [reader, unscoped] = [
    await me.createKey({ name: 'auditor', scopes: ['audit:read'] }),
    await me.createKey({ name: 'manager', scopes: ['keys:read', 'keys:write', 'keys:verify'] }),
  ];
  for (const path of ['/v1/audit', '/v1/audit/export']) {
    assert.equal((await contract.call('GET', path, { key: reader.apiKey })).status, 200);
    assertProblem(await contract.call('GET', path, { key: unscoped.apiKey }), 'insufficient_scope');
    assertProblem(await contract.call('GET', path), 'missing_authorization');
    assertProblem(await contract.call('GET', `${path}?nonsense=1`, { as: me }), 'invalid_request');
  }
});

test('events can be filtered, and are returned in pages without gaps', async () => {
  const me = await openSession(server, adasAccount);
  const all = (await exported(me)).events;
  const ids = all.map(({ id }) => id);
  assert.deepEqual(ids, ids.toSorted().toReversed());
  const paged: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await list(`?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`, me);
    paged.push(...page.data.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  assert.deepEqual(paged, ids);
  const middle = all[Math.floor(all.length / 2)];
  assert.ok(middle !== undefined);
  const since = all.filter(({ at }) => at >= middle.at).map(({ id }) => id);
  const query = (text: string) => list(`?limit=100&${text}`, me).then(({ data }) => data.map(({ id }) => id));
  assert.deepEqual(await query(`since=${middle.at}`), since);
  assert.deepEqual(
    await query(`until=${middle.at}`),
    ids.filter((id) => !since.includes(id)),
  );
  for (const [name, field] of [
    ['action', (event: AuditEvent) => event.action],
    ['actorId', (event: AuditEvent) => event.actor.id],
    ['targetId', (event: AuditEvent) => event.target.id],
  ] as const) {
    const expected: string[] = all.filter((event) => field(event) === field(middle)).map(({ id }) => id);
    assert.deepEqual(await query(`${name}=${field(middle)}`), expected, name);
  }
});

test('anyone can recompute the hashes of an export, and the operator can verify the log against it', async () => {
  const me = await openSession(server, adasAccount);
  const { text, events: all } = await exported(me);
  for (const { previousHash, hash, ...content } of all) {
    const computed: string = createHash('sha256')
      .update(Buffer.from(previousHash ?? '', 'hex'))
      .update(canonical(content))
      .digest('hex');
    assert.equal(hash, computed);
  }
  const file = join(server.dataDir, 'export.jsonl');
  writeFileSync(file, text);
  const verify = (...more: string[]) => runOperatorInProcessOn(server.dataDir, ['audit', 'verify', ...more]);
  const verified = await verify('--anchor', file);
  assert.equal(verified.code, 0, verified.output);
  assert.match(verified.output, /^Verified \d+ events in 2 chains\.$/m);
  const tampered = all.find(({ action }) => action === 'key.revoked');
  assert.ok(tampered !== undefined);
  writeFileSync(file, text.replace(`"hash":"${tampered.hash}"`, `"hash":"${'0'.repeat(64)}"`));
  const mismatch = await verify('--anchor', file);
  assert.equal(mismatch.code, 1, mismatch.output);
  assert.ok(mismatch.output.includes(`event ${tampered.sequence} (${tampered.id})`), mismatch.output);
  writeFileSync(file, 'nonsense');
  assert.equal((await verify('--anchor', file)).code, 65);
  assert.equal((await verify('--anchor', file, 'more')).code, 64);
  assert.deepEqual(await runSql(server, 'SELECT id FROM audit_event WHERE sequence IS NULL'), []);
});

test('the operator can export all chains, including those no workspace sees, and verify the log against them', async () => {
  const me = await openSession(server, adasAccount);
  await bob.createKey({ name: "bob's" });
  const { text } = await exported(me);
  const body = { email: 'stranger@example.com', password: 'a wrong pa55phrase' };
  const signIn = `${server.url}/api/auth/sign-in/email`;
  assert.equal((await call(signIn, { method: 'POST', body })).status, 401);
  // When it stops, the server writes and seals the counts of the last minute.
  await server.kill('SIGTERM');
  const audit = (...args: string[]) => runOperatorInProcessOn(server.dataDir, ['audit', ...args]);
  const lines = (file: string) => readFileSync(file, 'utf8').trim().split('\n');
  const [all, accounts] = [join(server.dataDir, 'all.jsonl'), join(server.dataDir, 'accounts.jsonl')];

  const result = await runOperator(['audit', 'export', all], { dataDir: server.dataDir });
  assert.equal(result.code, 0, result.output);
  // On a slow machine, progress lines come first.
  assert.ok(result.output.endsWith(`Exported ${lines(all).length} events to ${all}.\n`), result.output);
  assert.equal(statSync(all).mode & 0o777, 0o600);
  const ids = lines(all).map((line) => auditEventSchema.parse(JSON.parse(line)).id);
  assert.deepEqual(ids, ids.toSorted().toReversed());
  assert.deepEqual(
    text.split('\n').filter((line) => line !== '' && !lines(all).includes(line)),
    [],
    'it contains each line that a workspace exports, byte for byte',
  );
  assert.equal((await audit('export', accounts, '--chain', 'accounts')).code, 0);
  const ofAccounts = lines(accounts).map((line) => auditEventSchema.parse(JSON.parse(line)));
  assert.ok(ofAccounts.every(({ chain }) => chain === 'accounts'));
  const failed = ofAccounts.find(({ action }) => action === 'account.sign_in_failed');
  assert.deepEqual([failed?.target.id, failed?.details?.count], ['unknown', 1]);
  const lastAttemptAt = Date.parse(String(failed?.details?.lastAttemptAt));
  assert.ok(lastAttemptAt <= Date.parse(failed?.at ?? ''), 'the event is written after the last attempt');
  assert.ok(!readFileSync(all, 'utf8').includes('stranger@'));

  const verified = await audit('verify', '--anchor', all);
  assert.equal(verified.code, 0, verified.output);
  assert.match(verified.output, new RegExp(`^Verified ${ids.length} events in 3 chains\\.$`, 'm'));
  await runSql(server, 'DELETE FROM audit_event WHERE id = ?', ids[0] ?? '');
  assert.equal((await audit('verify', '--anchor', all)).code, 1, 'the newest event is missing');

  const before = readFileSync(all);
  const again = await audit('export', all);
  assert.equal(again.code, 73);
  assert.match(again.output, /^soku: .* already exists\. An export never overwrites a file\.\n$/);
  assert.deepEqual(readFileSync(all), before);
  const other = join(server.dataDir, 'other.jsonl');
  const unknown = await audit('export', other, '--chain', 'ws_x');
  assert.equal(unknown.code, 65);
  assert.match(unknown.output, /^soku: The audit log has no chain ws_x\./);
  assert.ok(!existsSync(other));
});
