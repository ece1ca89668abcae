/** An export of a long log: other requests go on meanwhile, and it ends with the right to read it. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { inDatabase } from '../support/in-database.ts';
import { bearer, call } from '../support/person.ts';
import { startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

/** Together more than the buffers of two sockets. */
const length = 12_000;

const server = await startServer();
after(() => server.stop());
const ada = await openSession(server);
const auditor = await ada.makeKey({ name: 'auditor', scopes: ['audit:read'] });
const url = `${server.url}/v1/audit/export`;
const asAuditor = { headers: bearer(auditor.apiKey) };

await inDatabase(
  server,
  `WITH RECURSIVE number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < ${length})
   INSERT INTO audit_event (id, chain, at, actor_kind, actor_id, actor_name, user_agent, action, target_kind,
     target_id, target_name, sequence, previous_hash, hash)
   SELECT 'evt_0' || (100000 + i), (SELECT workspace_id FROM api_key LIMIT 1), 1, 'system', 'system', 'Soku',
     '${'x'.repeat(800)}', 'key.created', 'key', 'key_1', 'one', 1000000 + i, '', ''
   FROM number`,
);

test('other requests are answered while a long log is exported', async () => {
  let exporting = true;
  const exported = call(url, asAuditor).finally(() => {
    exporting = false;
  });
  let answered = 0;
  while (exporting) {
    assert.equal((await call(`${server.url}/v1/me`, { headers: bearer(auditor.apiKey) })).status, 200);
    answered += 1;
  }
  const { text } = await exported;
  assert.ok(text.split('\n').length > length);
  // Without turns of the event loop between its reads, one answer came before the export and one after it.
  assert.ok(answered > 10, `${answered} were answered`);
});

test('a request that wants no body does not read the log', async () => {
  assert.equal((await fetch(url, { ...asAuditor, method: 'HEAD' })).status, 404);
});

test('an export breaks off when its key is revoked', async () => {
  const response = await fetch(url, asAuditor);
  assert.equal(response.status, 200);
  const reader = response.body?.getReader();
  const first = await reader?.read();
  await ada.revoke(auditor.key.id);
  let bytes = first?.value?.length ?? 0;
  await assert.rejects(async () => {
    for (;;) {
      const next = await reader?.read();
      bytes += next?.value?.length ?? 0;
      if (next?.done !== false) return;
    }
  }, /terminated/);
  assert.ok(bytes < length * 800, `${bytes} bytes came`);
});
