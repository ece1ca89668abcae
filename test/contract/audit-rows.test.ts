/** The events of one key, and rows of the audit log that were edited in the database. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AuditEvent, auditEventSchema, auditPageSchema } from '@soku/contract/audit';
import { assertProblem, Contract, eventually } from '../support/contract.ts';
import { runOperatorInProcessOn } from '../support/operator-in-process.ts';
import { runSql } from '../support/run-sql.ts';
import { addAccount, openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const ada = await openSession(server, await addAccount(server));

const list = async (query: string) =>
  auditPageSchema.parse((await contract.call('GET', `/v1/audit${query}`, { as: ada })).body);
const events = async (query: string) => (await list(query)).data;

async function exportNow(): Promise<{ events: AuditEvent[] }> {
  const { text } = await contract.call('GET', '/v1/audit/export', { as: ada });
  const lines = text.trim().split('\n');
  return { events: lines.map((line) => auditEventSchema.parse(JSON.parse(line))) };
}

/** The export after all of its events are sealed. */
const exported = () => eventually(exportNow, (found) => found.events.every(({ hash }) => hash !== null));

test('the events of a key are those that changed it and those that it caused, in pages without gaps', async () => {
  const manager = await ada.createKey({ name: 'manager', scopes: ['keys:write', 'keys:read'] });
  const { id } = manager.key;
  const asManager = (method: string, path: string, body: unknown) =>
    contract.call(method, path, { key: manager.apiKey, body });
  for (const name of ['one', 'two']) await asManager('POST', '/v1/api-keys', { name });
  await asManager('PATCH', `/v1/api-keys/${id}`, { name: 'renamed by itself' });
  await ada.revoke(id);
  const found = await events(`?keyId=${id}`);
  assert.deepEqual(
    found.map(({ action, actor, target }) => [action, actor.kind, target.name]),
    [
      ['key.revoked', 'person', 'renamed by itself'],
      ['key.updated', 'key', 'renamed by itself'],
      ['key.created', 'key', 'two'],
      ['key.created', 'key', 'one'],
      ['key.created', 'person', 'manager'],
    ],
  );
  const paged: AuditEvent[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await list(`?keyId=${id}&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
    paged.push(...page.data);
    cursor = page.nextCursor;
  }
  const idsOf = (rows: AuditEvent[]) => rows.map((event) => event.id);
  assert.deepEqual(idsOf(paged), idsOf(found));
  assert.deepEqual(idsOf(await events(`?keyId=${id}&action=key.revoked`)), idsOf(found.slice(0, 1)));
  const { text } = await contract.call('GET', `/v1/audit/export?keyId=${id}`, { as: ada });
  assert.equal(text.trim().split('\n').length, found.length);
  assert.deepEqual(await events(`?keyId=key_${'0'.repeat(26)}`), []);
  assertProblem(await contract.call('GET', '/v1/audit?keyId=usr_1', { as: ada }), 'invalid_request');
  assertProblem(await contract.call('GET', '/v1/audit?cursor=', { as: ada }), 'invalid_request');
});

test('a row edited in the database is listed as unreadable, and the verify command reports it', async () => {
  const { key } = await ada.createKey({ name: 'to be edited' });
  await ada.call('PATCH', `/v1/api-keys/${key.id}`, { name: 'edited' });
  const before = await exported();
  const newest = before.events[0];
  assert.equal(newest?.action, 'key.updated');
  const edit = (column: string, value: string | number, id = newest.id) =>
    runSql(server, `UPDATE audit_event SET ${column} = ? WHERE id = ? RETURNING 1`, value, id);
  for (const [column, value, field, shown] of [
    ['changes', '{"name":', 'changes', null],
    ['changes', '[]', 'changes', null],
    ['details', '{"a":{}}', 'details', null],
    ['previous_hash', 'x', 'previousHash', null],
    ['hash', '', 'hash', null],
    ['at', Date.UTC(12_000, 0), 'at', newest.at],
    ['sequence', -1, 'sequence', null],
  ] as const) {
    const [stored] = await runSql(
      server,
      `SELECT ${column} AS value FROM audit_event WHERE id = ?`,
      newest.id,
    );
    await edit(column, value);
    const expected: AuditEvent[] = [
      { ...newest, [field]: shown, unreadable: [field] },
      ...before.events.slice(1),
    ];
    assert.deepEqual((await exportNow()).events, expected, column);
    assert.deepEqual(await events('?limit=1'), expected.slice(0, 1));
    if (column === 'changes') {
      const { code, output } = await runOperatorInProcessOn(server.dataDir, ['audit', 'verify']);
      assert.equal(code, 1);
      assert.ok(output.includes(`(${newest.id}): it was changed: changes cannot be read.`), output);
    }
    const old = stored?.value;
    await (old === null
      ? runSql(server, `UPDATE audit_event SET ${column} = NULL WHERE id = ? RETURNING 1`, newest.id)
      : edit(column, typeof old === 'number' ? old : String(old)));
  }
  const edited = 'evt_z, edited';
  await edit('id', edited);
  const first = await list('?limit=1');
  assert.deepEqual(first, { data: [{ ...newest, id: edited, unreadable: ['id'] }], nextCursor: edited });
  assert.deepEqual(await events(`?limit=1&cursor=${encodeURIComponent(edited)}`), before.events.slice(1, 2));
  await edit('id', newest.id, edited);
  assert.deepEqual((await exported()).events, before.events);
});
