/** What the log says at `info` about sign-ins and changes, and what it never contains (ASVS 5.0 16.3, 16.2.5). */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { z } from 'zod';
import { bearer, call } from '../support/person.ts';
import { owner, startServer } from '../support/server.ts';

const server = await startServer({ env: { TRUST_PROXY: '127.0.0.1' } });
after(() => server.stop());

const address = '198.51.100.7';
const from = { 'x-forwarded-for': address };
const lineSchema = z.looseObject({ msg: z.string(), level: z.number() });

/** The lines at `info` that have an address, without their level and time. */
function events() {
  return server.output
    .split('\n')
    .flatMap((line) => (line.startsWith('{') ? lineSchema.parse(JSON.parse(line)) : []))
    .filter((line) => line.level === 30 && 'address' in line)
    .map(({ level, time, ...line }) => line);
}

async function signIn(body: { email: string; password: string }, client = address) {
  const headers = { 'x-forwarded-for': client, 'content-type': 'application/json' };
  return call(`${server.url}/api/auth/sign-in/email`, { method: 'POST', headers, body });
}

test('sign-ins and changes are logged with ids, address and request id, and without any user input', async () => {
  assert.equal((await signIn({ ...owner, password: 'a wrong pa55phrase' })).status, 401);
  // As if the password was typed into the email field.
  assert.equal(
    (await signIn({ email: 'pa55phrase@example.com', password: 'a wrong pa55phrase' })).status,
    401,
  );
  const ada = await server.signIn();
  const manager = await ada.createKey({ name: 'a n4me', scopes: ['keys:write', 'keys:read'] });
  const created = await call(`${server.url}/v1/api-keys`, {
    method: 'POST',
    headers: { ...bearer(manager.apiKey), ...from },
    body: { name: 'a second n4me' },
  });
  const { key } = z.object({ key: z.object({ id: z.string() }) }).parse(JSON.parse(created.text));
  assert.equal((await ada.call('PATCH', `/v1/api-keys/${key.id}`, { name: 'another n4me' })).status, 200);
  assert.equal((await ada.call('POST', `/v1/api-keys/${key.id}/revoke`)).status, 200);
  assert.equal((await ada.call('PUT', '/v1/scopes', { scopes: [{ name: 'a-n4me' }] })).status, 200);
  assert.equal((await ada.call('PATCH', '/v1/workspace', { rateLimit: 5000 })).status, 200);
  assert.equal((await ada.call('POST', '/api/auth/sign-out', {})).status, 200);
  await server.printed('signed out');

  const lines = events();
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    [
      'sign-in failed',
      'sign-in failed',
      'signed in',
      'key created',
      'key created',
      'key changed',
      'key revoked',
      'scopes changed',
      'workspace settings changed',
      'signed out',
    ],
  );
  const [wrongPassword, wrongEmail, signedIn, first, second, changed] = lines;
  assert.ok(lines.every(({ reqId }) => typeof reqId === 'string' && reqId !== ''));
  assert.equal(wrongPassword?.address, address);
  assert.match(String(signedIn?.accountId), /^usr_/);
  assert.equal(wrongPassword?.accountId, signedIn?.accountId);
  assert.ok(wrongEmail !== undefined && !('accountId' in wrongEmail));
  assert.deepEqual(
    [first?.accountId, first?.keyId, first?.callerKeyId],
    [signedIn?.accountId, manager.key.id, undefined],
  );
  assert.deepEqual(
    [second?.accountId, second?.keyId, second?.callerKeyId, second?.address],
    [undefined, key.id, manager.key.id, address],
  );
  assert.equal(changed?.keyId, key.id);
  for (const secret of [owner.password, owner.email, 'pa55phrase', 'n4me', manager.apiKey]) {
    assert.ok(!server.output.includes(secret), secret);
  }
});

test('a flood of rejected sign-ins produces only a few log lines', async () => {
  const flooder = '198.51.100.8';
  const body = { email: 'flood@example.com', password: 'a wrong pa55phrase' };
  const started = Date.now();
  const responses = await Promise.all(Array.from({ length: 60 }, () => signIn(body, flooder)));
  const statuses = responses.map(({ status }) => status);
  assert.ok(statuses.includes(429) && statuses.includes(503), String(statuses));
  await server.printed('"code":"server_busy"');
  await server.printed('"code":"rate_limited"');
  const lines = events().filter((line) => line.msg === 'password attempts rejected');
  // At most one of each kind in ten seconds.
  assert.ok(lines.length <= 2 * (1 + Math.ceil((Date.now() - started) / 10_000)), JSON.stringify(lines));
  for (const line of lines) {
    assert.equal(line.address, flooder);
    assert.equal(typeof line.reqId, 'string');
  }
  assert.ok(!server.output.includes('pa55phrase') && !server.output.includes('flood@'));
});
