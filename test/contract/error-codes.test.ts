/**
 * Produces every error code through the real interface, because the help page must not explain a code that nothing
 * can produce. The type of `producers` ensures that no code of the table is missing here.
 */
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ErrorCode, errorCodeNames } from '@soku/contract/error-codes';
import { createdKeySchema } from '@soku/contract/keys';
import { generateKey } from '@soku/key';
import { assertProblem, Contract, eventually } from '../support/contract.ts';
import { callWithFields } from '../support/http.ts';
import { withinOneMinute } from '../support/limits.ts';
import type { HttpResponse } from '../support/person.ts';
import { onPostgres, runSql } from '../support/run-sql.ts';
import { freePort, owner, startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

const gatewayPort = await freePort();
const server = await startServer({
  env: {
    SOKU_MAX_ACTIVE_KEYS: '10',
    TRUST_PROXY: '127.0.0.1',
    SOKU_GITHUB_KEYS_URL: `http://127.0.0.1:${await freePort()}`,
    SOKU_GATEWAY_PORT: String(gatewayPort),
    // Nothing listens on the port that was free.
    SOKU_GATEWAY_UPSTREAM: `http://127.0.0.1:${await freePort()}`,
  },
});
after(() => server.stop());
const contract = await Contract.of(server);
const ada = await openSession(server);
const other = await openSession(server);
const valid = await ada.createKey({ name: 'good' });
const manager = await ada.createKey({ name: 'manager', scopes: ['keys:read', 'keys:write'] });

/** Calls GET /v1/me with these header fields. */
const me = (...fields: [string, string][]) => contract.call('GET', '/v1/me', { fields });
const authorization = (value: string) => me(['Authorization', value]);

const rotate = (id: string) => contract.call('POST', `/v1/api-keys/${id}/rotate`, { as: ada, body: {} });

async function whileTableIsGone(table: string, request: () => Promise<HttpResponse>): Promise<HttpResponse> {
  await runSql(server, `ALTER TABLE ${table} RENAME TO gone`);
  try {
    return await request();
  } finally {
    await runSql(server, `ALTER TABLE gone RENAME TO ${table}`);
  }
}

const producers: Record<ErrorCode, () => Promise<HttpResponse>> = {
  missing_authorization: () => me(),
  key_in_query: () => contract.call('GET', `/v1/me?api_key=${valid.apiKey}`),
  wrong_header: () => me(['X-API-Key', valid.apiKey]),
  missing_bearer: () => authorization(valid.apiKey),
  unsupported_scheme: () => authorization('Basic YTpi'),
  malformed_authorization: () => authorization(`Bearer  ${valid.apiKey}`),
  missing_prefix: () => authorization(`Bearer ${valid.apiKey.slice(8)}`),
  key_preview: () => authorization(`Bearer ${valid.key.preview}`),
  malformed_key: () => authorization(`Bearer ${valid.apiKey.slice(0, -1)}`),
  mistyped_key: () =>
    authorization(`Bearer ${valid.apiKey.slice(0, -1)}${valid.apiKey.endsWith('0') ? '1' : '0'}`),
  unknown_key: () => authorization(`Bearer ${generateKey()}`),
  revoked_key: async () => {
    const { apiKey, key } = await ada.createKey({ name: 'to revoke' });
    await ada.revoke(key.id);
    return authorization(`Bearer ${apiKey}`);
  },
  expired_key: async () => {
    const { apiKey, key } = await ada.createKey({ name: 'short' });
    await runSql(server, 'UPDATE api_key SET expires_at = created_at + 1 WHERE id = ?', key.id);
    return authorization(`Bearer ${apiKey}`);
  },
  session_over: async () => {
    const left = await other.call('POST', '/api/auth/sign-out', {});
    assert.equal(left.status, 200);
    return contract.call('GET', '/v1/api-keys', { as: other });
  },
  disabled_key: async () => {
    const { apiKey, key } = await ada.createKey({ name: 'disabled' });
    await contract.call('PATCH', `/v1/api-keys/${key.id}`, { as: ada, body: { disabled: true } });
    return authorization(`Bearer ${apiKey}`);
  },
  ip_not_allowed: async () => {
    const { apiKey } = await ada.createKey({ name: 'elsewhere', allowedAddresses: ['192.0.2.1'] });
    return authorization(`Bearer ${apiKey}`);
  },
  wrong_environment: async () => {
    const { apiKey, key } = await ada.createKey({ name: 'for tests' });
    await runSql(server, "UPDATE api_key SET environment = 'test' WHERE id = ?", key.id);
    return authorization(`Bearer ${apiKey}`);
  },
  key_revoked: async () => {
    const { key } = await ada.createKey({ name: 'gone' });
    await ada.revoke(key.id);
    return contract.call('PATCH', `/v1/api-keys/${key.id}`, { as: ada, body: { disabled: true } });
  },
  key_expired: async () => {
    const { key } = await ada.createKey({ name: 'too late to rotate' });
    await runSql(server, 'UPDATE api_key SET expires_at = 1 WHERE id = ?', key.id);
    return rotate(key.id);
  },
  too_many_secrets: async () => {
    const { key } = await ada.createKey({ name: 'rotated often' });
    for (let i = 1; i < 5; i++) assert.equal((await rotate(key.id)).status, 201);
    return rotate(key.id);
  },
  newest_secret: async () => {
    const { key } = await ada.createKey({ name: 'one secret' });
    const [secret] = key.secrets;
    return contract.call('POST', `/v1/api-keys/${key.id}/secrets/${secret?.id}/retire`, { as: ada });
  },
  insufficient_scope: () => contract.call('GET', '/v1/api-keys', { key: valid.apiKey }),
  recent_login_required: async () => {
    const aged = await openSession(server);
    await runSql(
      server,
      `UPDATE session SET "createdAt" = ?
       WHERE "createdAt" = (SELECT max("createdAt") FROM session)`,
      new Date(Date.now() - 3 * 60 * 60 * 1000).toISOString(),
    );
    return contract.call('POST', '/v1/api-keys', { as: aged, body: { name: 'too late' } });
  },
  session_required: () =>
    contract.call('PATCH', '/v1/workspace', { key: manager.apiKey, body: { rateLimit: 'off' } }),
  cross_origin: () =>
    contract.call('POST', '/v1/api-keys', {
      as: ada,
      fields: [['Origin', 'https://evil.example']],
      body: { name: 'stolen' },
    }),
  invalid_request: () => contract.call('POST', '/v1/api-keys', { as: ada, body: {} }),
  not_found: () => contract.call('GET', `/v1/api-keys/key_${'0'.repeat(26)}`, { as: ada }),
  idempotency_replayed: async () => {
    const repeat = () =>
      contract.call('POST', '/v1/api-keys', {
        key: manager.apiKey,
        fields: [['Idempotency-Key', 'once']],
        body: { name: 'once' },
      });
    assert.equal((await repeat()).status, 201);
    return repeat();
  },
  scope_in_use: async () => {
    const replace = (scopes: object[]) => contract.call('PUT', '/v1/scopes', { as: ada, body: { scopes } });
    assert.equal((await replace([{ name: 'files:read' }])).status, 200);
    const { key } = await ada.createKey({ name: 'reader', scopes: ['files:read'] });
    const response = await replace([]);
    await ada.revoke(key.id);
    return response;
  },
  too_many_webhooks: async () => {
    const create = () =>
      contract.call('POST', '/v1/webhooks', { as: ada, body: { url: 'https://hooks.example.com' } });
    for (let i = 0; i < 20; i++) assert.equal((await create()).status, 201);
    return create();
  },
  key_quota_reached: async () => {
    const created: string[] = [];
    try {
      return await eventually(
        async () => {
          const response = await contract.call('POST', '/v1/api-keys', { as: ada, body: { name: 'more' } });
          if (response.status === 201) created.push(createdKeySchema.parse(response.body).key.id);
          return response;
        },
        (response) => response.status !== 201,
      );
    } finally {
      for (const id of created) await ada.revoke(id);
    }
  },
  too_many_descendants: async () => {
    const { key } = await ada.createKey({ name: 'prolific' });
    // They are expired, so no other test of this file counts them as active.
    await runSql(
      server,
      `INSERT INTO api_key (id, workspace_id, created_by, name, name_folded, scopes, expires_at, created_at)
       WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
       SELECT 'key_00000000000' || (100000000000000 + i), workspace_id, id, 'child', 'child', '', 1, 1
       FROM n, api_key WHERE id = ?`,
      key.id,
    );
    const path = `/v1/api-keys/${key.id}/revoke`;
    const response = await contract.call('POST', path, { as: ada, body: { descendants: true } });
    const now = await contract.call('GET', `/v1/api-keys/${key.id}`, { as: ada });
    assert.deepEqual(now.body, key, 'the key is not revoked');
    await ada.revoke(key.id);
    return response;
  },
  payload_too_large: () =>
    contract.call('POST', '/v1/api-keys', { as: ada, body: { name: 'x'.repeat(70_000) } }),
  unsupported_media_type: () =>
    contract.call('PATCH', `/v1/api-keys/${valid.key.id}`, {
      as: ada,
      fields: [['Content-Type', 'application/x-www-form-urlencoded']],
    }),
  rate_limited: () =>
    withinOneMinute(async () => {
      const { apiKey } = await ada.createKey({ name: 'slow', rateLimit: 1 });
      assert.equal((await authorization(`Bearer ${apiKey}`)).status, 200);
      const second = await authorization(`Bearer ${apiKey}`);
      assert.equal(second.status, 429);
      return second;
    }),
  internal_error: () => whileTableIsGone('api_key', () => contract.call('GET', '/v1/api-keys', { as: ada })),
  method_not_allowed: () =>
    callWithFields(`http://localhost:${gatewayPort}/`, {
      method: 'TRACE',
      fields: [['Authorization', `Bearer ${valid.apiKey}`]],
    }),
  bad_gateway: () =>
    callWithFields(`http://localhost:${gatewayPort}/`, {
      fields: [['Authorization', `Bearer ${valid.apiKey}`]],
    }),
  server_busy: async () => {
    // More than any machine hashes at a time, from one address, of which only one sign-in may wait.
    const responses = await Promise.all(
      Array.from({ length: 8 }, () =>
        callWithFields(`${server.url}/api/auth/sign-in/email`, {
          method: 'POST',
          fields: [
            ['Content-Type', 'application/json'],
            ['X-Forwarded-For', '192.0.2.1'],
          ],
          body: JSON.stringify({ email: owner.email, password: 'wrong password' }),
        }),
      ),
    );
    const rejected = responses.find(({ status }) => status !== 401);
    assert.ok(rejected !== undefined);
    return rejected;
  },
  signing_keys_unavailable: () =>
    contract.call('POST', '/v1/leaks/github', {
      body: [],
      fields: [['Github-Public-Key-Identifier', 'unknown']],
    }),
  storage_unavailable: async () => {
    const { key } = await ada.createKey({ name: 'to keep' });
    const lock = join(server.dataDir, 'lock');
    renameSync(lock, `${lock}.away`);
    try {
      return await contract.call('POST', `/v1/api-keys/${key.id}/revoke`, { as: ada });
    } finally {
      renameSync(`${lock}.away`, lock);
    }
  },
  verification_unavailable: () =>
    whileTableIsGone('api_key_secret', () => contract.call('GET', '/v1/me', { key: generateKey() })),
};

// Many passwords are hashed for it, and no database decides how many at a time.
const once: readonly ErrorCode[] = ['server_busy'];

for (const code of errorCodeNames.filter((name) => !onPostgres || !once.includes(name))) {
  test(`${code} is returned with its status and the complete error body`, async () => {
    assertProblem(await producers[code](), code);
  });
}

test('the server keeps working after all of these failures', async () => {
  assert.equal((await contract.call('GET', '/v1/me', { key: valid.apiKey })).status, 200);
  assert.equal((await ada.call('POST', '/api/auth/sign-in/email', owner)).status, 200);
});
