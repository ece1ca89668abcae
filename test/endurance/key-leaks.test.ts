import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { bearer } from '../support/person.ts';
import { onPostgres, runSql, whileLocked } from '../support/run-sql.ts';
import { newDataDir, startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { runKeyLifeCycle } from './key-life-cycle.ts';
import { bodiesWith, brokenWith, headersWith, targetsWith } from './key-placements.ts';
import { LeakDetector } from './leak-detector.ts';

const json = { 'Content-Type': 'application/json' };
const dataDir = newDataDir();
after(() => rmSync(dataDir, { recursive: true, force: true }));

/** Sends the key in every wrong place; `id` is a key to rename. */
async function misuse(
  detector: LeakDetector,
  server: TestServer,
  cookie: string,
  key: string,
  id: string,
): Promise<void> {
  const person = { Cookie: cookie };
  for (const headers of headersWith(key)) {
    for (const path of ['/v1/me', '/v1/verify', '/v1/api-keys'])
      await detector.call(server, 'GET', path, { headers });
    await detector.call(server, 'POST', '/v1/api-keys', {
      headers: { ...headers, ...json },
      body: '{"name":""}',
    });
  }
  for (const path of targetsWith(key)) {
    for (const headers of [{}, person, bearer(key)]) await detector.call(server, 'GET', path, { headers });
    await detector.call(server, 'POST', path, { headers: { ...person, ...json }, body: '{}' });
  }
  for (const body of bodiesWith(key)) {
    const options = { headers: { ...person, ...json }, body };
    for (const path of bodyPaths) await detector.call(server, 'POST', path, options);
    await detector.call(server, 'PATCH', `/v1/api-keys/${id}`, options);
  }
  for (const broken of brokenWith(key)) await detector.send(server, broken);
}

const bodyPaths = [
  '/v1/api-keys',
  '/api/setup',
  '/api/auth/change-password',
  '/api/auth/revoke-session',
].concat('/api/auth/update-user');

/** Calls every endpoint with active and revoked keys. */
async function callEverything(detector: LeakDetector, server: TestServer, cookie: string): Promise<void> {
  const person = { Cookie: cookie };
  const body = JSON.stringify({ name: 'Production Server', scopes: ['keys:read', 'keys:write'] });
  const once = { ...person, ...json, 'Idempotency-Key': 'once' };
  const { apiKey, id } = await detector.create(server, { ...person, ...json }, body);
  const revoked = await detector.create(server, once, '{"name":"x"}');
  const child = await detector.create(server, { ...bearer(apiKey), ...json }, '{"name":"created by a key"}');
  await misuse(detector, server, cookie, apiKey, id);
  // A key is looked up, and found to be revoked, only when it is presented.
  for (const headers of headersWith(revoked.apiKey))
    await detector.call(server, 'GET', '/v1/me', { headers });
  for (const key of [apiKey, revoked.apiKey]) {
    await signInWith(detector, server, key);
    await detector.call(server, 'POST', `/v1/api-keys/${revoked.id}/revoke`, { headers: person });
  }
  for (const key of detector.keys) await detector.call(server, 'GET', '/v1/verify', { headers: bearer(key) });
  await detector.call(server, 'POST', '/v1/api-keys', { headers: once, body: '{"name":"x"}' });
  const renaming = { headers: { ...bearer(apiKey), ...json }, body: '{"name":"another"}' };
  await detector.call(server, 'PATCH', `/v1/api-keys/${child.id}`, renaming);
  for (const path of [
    '/v1/api-keys?status=all&include=counts',
    `/v1/api-keys/${id}`,
    '/v1/me',
    '/openapi.json',
  ]) {
    await detector.call(server, 'GET', path, { headers: bearer(apiKey) });
  }
  for (const path of [
    '/api/session',
    '/api/auth/get-session',
    '/api/auth/list-sessions',
    '/readyz',
    '/docs',
    '/',
  ]) {
    await detector.call(server, 'GET', path, { headers: person });
  }
}

/** Signs in with the key in headers that the auth library stores with the session. */
async function signInWith(detector: LeakDetector, server: TestServer, key: string): Promise<void> {
  const email = 'ada@example.com';
  const valid = JSON.stringify({ email, password: 'correct horse battery' });
  const headers = { ...json, 'User-Agent': key, 'X-Forwarded-For': key, Referer: `https://x/${key}` };
  await detector.call(server, 'POST', '/api/auth/sign-in/email', { headers, body: valid });
  const invalid = JSON.stringify({ email: key, password: key, callbackURL: `/${key}` });
  await detector.call(server, 'POST', '/api/auth/sign-in/email', { headers: json, body: invalid });
}

/** A creation that cannot be written, because another program has locked the database. */
async function failToCreate(
  detector: LeakDetector,
  server: TestServer,
  headers: Record<string, string>,
): Promise<void> {
  await whileLocked(server, 'api_key', async () => {
    const response = await detector.call(server, 'POST', '/v1/api-keys', {
      headers,
      body: '{"name":"fails"}',
    });
    assert.equal(response.status, 503, response.body);
  });
}

/** Adds everything that is stored: all files, and on PostgreSQL every row of every table. */
async function addStorage(detector: LeakDetector): Promise<void> {
  detector.addFiles(dataDir);
  if (!onPostgres) return;
  const tables = await runSql({ dataDir }, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
  assert.ok(tables.length > 10);
  for (const { tablename } of tables) {
    const rows = await runSql({ dataDir }, `SELECT t::text AS row FROM "${tablename}" t`);
    detector.addText(`the table ${tablename}`, rows.map(({ row }) => String(row)).join('\n'));
  }
}

/** Creations, some of which are interrupted by SIGKILL. */
async function killWhileCreating(
  detector: LeakDetector,
  server: TestServer,
  headers: Record<string, string>,
): Promise<void> {
  const create = () => detector.create(server, headers, '{"name":"at the end"}');
  await Promise.all(Array.from({ length: 4 }, create));
  const last = Promise.allSettled(Array.from({ length: 8 }, create));
  await create();
  await server.kill('SIGKILL');
  await last;
}

test('a key appears in no file, no log line and no response except that of its creation (ASVS 16.2.5, 14.2.1)', async () => {
  const detector = new LeakDetector();
  await withServer(async (server) => {
    const { cookie } = await openSession(server);
    const headers = { Cookie: cookie, ...json };
    await callEverything(detector, server, cookie);
    await runKeyLifeCycle(detector, server, cookie);
    await failToCreate(detector, server, headers);
    await addStorage(detector);
    await killWhileCreating(detector, server, headers);
    await addStorage(detector);
    detector.addOutput(server);
  });
  await withServer(async (server) => {
    for (const key of detector.keys)
      await detector.call(server, 'GET', '/v1/verify', { headers: bearer(key) });
    await server.kill('SIGTERM');
    await addStorage(detector);
    detector.addOutput(server);
  });
  assert.deepEqual(detector.leaks(), []);
  assert.ok(
    detector.keys.length >= 19 && detector.size > 1_000_000,
    `${detector.keys.length} keys, ${detector.size} bytes`,
  );
});

/** Runs a server at log level trace, on data that is kept after it stops. */
async function withServer(work: (server: TestServer) => Promise<void>): Promise<void> {
  const server = await startServer({ dataDir, env: { LOG_LEVEL: 'trace' } });
  try {
    await work(server);
  } finally {
    await server.kill();
  }
}
