/** An export of a long log: it does not block other requests, and it stops when the caller loses access. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bearer, call } from '../support/person.ts';
import { runSql } from '../support/run-sql.ts';
import { addAccount, openSession } from '../support/session.ts';
import { proxyAndWebhookEnv, sharedServer } from '../support/shared-server.ts';

/** The number of events: together they are larger than the buffers of two sockets. */
const length = 12_000;

// Another server than that of files that verify all chains, because the events below are in no chain.
const server = await sharedServer(proxyAndWebhookEnv);
const ada = await openSession(server, await addAccount(server));
const auditor = await ada.createKey({ name: 'auditor', scopes: ['audit:read'] });
const url = `${server.url}/v1/audit/export`;
const asAuditor = { headers: bearer(auditor.apiKey) };

await runSql(
  server,
  `WITH RECURSIVE number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < ${length})
   INSERT INTO audit_event (id, chain, at, actor_kind, actor_id, actor_name, user_agent, action, target_kind,
     target_id, target_name, sequence, previous_hash, hash)
   SELECT 'evt_0' || (100000 + i), (SELECT workspace_id FROM api_key WHERE id = ?), 1, 'system', 'system', 'Soku',
     '${'x'.repeat(800)}', 'key.created', 'key', 'key_1', 'one', 1000000 + i, '', ''
   FROM number`,
  auditor.key.id,
);

test('the server responds to other requests while it exports a long log', async () => {
  const response = await fetch(url, asAuditor);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (let chunks = 0; ; chunks++) {
    // The export cannot end meanwhile, because the rest of the log is larger than the buffers.
    if (chunks < 10)
      assert.equal((await call(`${server.url}/v1/me`, { headers: bearer(auditor.apiKey) })).status, 200);
    const next = await reader?.read();
    if (next?.done !== false) break;
    text += next.value;
  }
  assert.ok(text.split('\n').length > length);
});

test('a HEAD request does not read the log', async () => {
  assert.equal((await fetch(url, { ...asAuditor, method: 'HEAD' })).status, 404);
});

test('an export is aborted when its key is revoked', async () => {
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
  assert.ok(bytes < length * 800, `${bytes} bytes received`);
});
