/** The way in: how often a password can be guessed, and what of the auth library is reachable. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertRefusal } from '../support/contract.ts';
import { exchange } from '../support/http.ts';
import { call } from '../support/person.ts';
import { owner, startServer, type TestServer } from '../support/server.ts';

const server = await startServer();
after(() => server.stop());
const proxied = await startServer({ env: { TRUST_PROXY: '127.0.0.1' } });
after(() => proxied.stop());
const ada = await server.signIn();

function guess(at: TestServer, password: string, headers: Record<string, string> = {}, email = owner.email) {
  return call(`${at.url}/api/auth/sign-in/email`, { method: 'POST', headers, body: { email, password } });
}

test('after ten attempts in a minute an address cannot guess on, whatever it claims to be', async () => {
  const statuses: number[] = [];
  // One attempt was the sign-in above.
  for (let i = 1; i < 10; i++) statuses.push((await guess(server, `wrong password ${i}`)).status);
  assert.deepEqual(statuses, Array(9).fill(401));
  const spoofed = [
    {},
    { 'x-forwarded-for': '203.0.113.1' },
    { 'x-real-ip': '203.0.113.2' },
    { 'x-soku-client-address': '203.0.113.3' },
    { forwarded: 'for=203.0.113.4' },
    { 'cf-connecting-ip': '203.0.113.5' },
  ];
  for (const headers of spoofed) {
    assert.equal((await guess(server, 'wrong again', headers)).status, 429, JSON.stringify(headers));
  }
  const right = await guess(server, owner.password);
  assert.equal(right.status, 429, 'not even with the right password');
  assert.deepEqual(right.headers.getSetCookie(), []);
  assert.equal((await guess(server, 'wrong', {}, 'other@example.com')).status, 429, 'nor as somebody else');
  assert.equal((await ada.call('GET', '/v1/api-keys')).status, 200, 'whoever is in stays in');
});

test('behind a trusted proxy one address does not use up the attempts of another', async () => {
  const from = (address: string, password: string) =>
    guess(proxied, password, { 'x-forwarded-for': address });
  for (let i = 0; i < 10; i++) assert.equal((await from(`203.0.113.1:${i}`, 'wrong')).status, 401);
  assert.equal((await from('203.0.113.1', owner.password)).status, 429);
  assert.equal(
    (await from('192.0.2.1, 203.0.113.1', owner.password)).status,
    429,
    'the client wrote the first',
  );
  assert.equal((await from('203.0.113.2', owner.password)).status, 200);
});

test('after ten attempts in a minute an address cannot guess on at the change of the password either', async () => {
  const person = await proxied.signIn();
  const change = (address: string, currentPassword: string) =>
    person.call(
      'POST',
      '/api/auth/change-password',
      { currentPassword, newPassword: 'taken over by a thief' },
      { 'x-forwarded-for': address },
    );
  const statuses: number[] = [];
  for (let i = 1; i <= 10; i++) statuses.push((await change('203.0.113.1', `wrong password ${i}`)).status);
  assert.deepEqual(statuses, Array(10).fill(400));
  assert.equal((await change('203.0.113.1', 'wrong again')).status, 429);
  assert.equal((await change('203.0.113.1', owner.password)).status, 429, 'not even with the right password');
  assert.equal((await change('203.0.113.2', 'wrong')).status, 400, 'another address may still try');
  assert.equal((await guess(proxied, owner.password)).status, 200, 'the password is what it was');
});

test('of the auth library only what the dashboard needs is reachable', async () => {
  const closed = [
    'sign-up/email',
    'sign-in/social',
    'sign-in/username',
    'delete-user',
    'delete-user/callback',
    'change-email',
    'verify-email',
    'send-verification-email',
    'request-password-reset',
    'forget-password',
    'reset-password',
    'reset-password/token',
    'set-password',
    'link-social',
    'unlink-account',
    'list-accounts',
    'refresh-token',
    'get-access-token',
    'account-info',
    'callback/google',
    'ok',
    'error',
    'admin/list-users',
    'organization/create',
    'api-key/create',
    '',
  ];
  const body = { email: 'eve@example.com', password: 'long enough', name: 'Eve' };
  for (const path of closed) {
    for (const method of ['GET', 'POST']) {
      const answer = await ada.call(method, `/api/auth/${path}`, method === 'POST' ? body : undefined);
      assertRefusal(answer, 'not_found');
    }
  }
  const odd = ['/api/auth/sign-up%2femail', '/api/auth//sign-up/email', '/api/auth/sign-in/../sign-up/email'];
  for (const path of odd) {
    const answer = await exchange(`${server.url}${path}`, {
      method: 'POST',
      fields: [['Content-Type', 'application/json']],
      body: JSON.stringify(body),
    });
    assertRefusal(answer, 'not_found');
  }
});

test('a session changes the name of its own account and nothing else of it', async () => {
  const change = await ada.call('POST', '/api/auth/update-user', {
    name: 'Ada L.',
    email: 'eve@example.com',
  });
  const session = await ada.call('GET', '/api/session');
  assert.match(session.text, /"email":"ada@example.com"/);
  if (change.status === 200) assert.match(session.text, /"name":"Ada L."/);
});

test('nobody is told a session that is not theirs', async () => {
  for (const path of ['list-sessions', 'get-session']) {
    const answer = await call(`${server.url}/api/auth/${path}`);
    assert.ok(answer.status === 401 || answer.text === 'null', answer.text);
  }
});
