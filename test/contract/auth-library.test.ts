/** Which routes of the auth library are reachable, and what it stores. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { hashPassword as hashByLibrary } from 'better-auth/crypto';
import { assertProblem } from '../support/contract.ts';
import { callWithFields } from '../support/http.ts';
import { call, cookiesOf, Person } from '../support/person.ts';
import { runSql } from '../support/run-sql.ts';
import { owner, startServer } from '../support/server.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await startServer({ env: { TRUST_PROXY: '127.0.0.1' } });
after(() => server.stop());
const ada = await server.signIn();

test('a password hash of the auth library is upgraded on the next sign-in', async () => {
  const [row] = await runSql(server, 'SELECT password FROM account');
  const current = String(row?.password);
  assert.match(current, /^\$scrypt\$ln=15,r=8,p=3\$/);
  const former = await hashByLibrary(owner.password);
  await runSql(server, 'UPDATE account SET password = ?', former);
  const from = (address: string, password: string) =>
    call(`${server.url}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'x-forwarded-for': address },
      body: { email: owner.email, password },
    });
  assert.equal((await from('127.0.0.1', 'wrong password')).status, 401);
  const [kept] = await runSql(server, 'SELECT password FROM account');
  assert.equal(kept?.password, former);
  assert.equal((await from('127.0.0.1', owner.password)).status, 200);
  const [upgraded] = await runSql(server, 'SELECT password FROM account');
  assert.match(String(upgraded?.password), /^\$scrypt\$ln=15,r=8,p=3\$/);
  assert.equal((await from('127.0.0.1', owner.password)).status, 200);
});

test('only the routes of the auth library that the dashboard needs are reachable', async () => {
  const unreachable = [
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
  for (const path of unreachable) {
    for (const method of ['GET', 'POST']) {
      const response = await ada.call(method, `/api/auth/${path}`, method === 'POST' ? body : undefined);
      assertProblem(response, 'not_found');
    }
  }
  const odd = ['/api/auth/sign-up%2femail', '/api/auth//sign-up/email', '/api/auth/sign-in/../sign-up/email'];
  for (const path of odd) {
    const response = await callWithFields(`${server.url}${path}`, {
      method: 'POST',
      fields: [['Content-Type', 'application/json']],
      body: JSON.stringify(body),
    });
    assertProblem(response, 'not_found');
  }
});

test('a session can change only the name of its own account', async () => {
  const change = await ada.call('POST', '/api/auth/update-user', {
    name: 'Ada L.',
    email: 'eve@example.com',
  });
  const session = await ada.call('GET', '/api/session');
  assert.match(session.text, /"email":"ada@example.com"/);
  if (change.status === 200) assert.match(session.text, /"name":"Ada L."/);
});

test('a request without a session gets no session data', async () => {
  for (const path of ['list-sessions', 'get-session']) {
    const response = await call(`${server.url}/api/auth/${path}`);
    assert.ok(response.status === 401 || response.text === 'null', response.text);
  }
});

test('two servers on one host have separate sessions in one browser', async () => {
  const other = await sharedServer();
  const signedIn = await call(`${other.url}/api/auth/sign-in/email`, {
    method: 'POST',
    body: { ...owner, rememberMe: false },
  });
  assert.equal(signedIn.status, 200, signedIn.text);
  // A browser stores cookies by host and name, and ignores the port (RFC 6265 section 8.5).
  const jar = new Map<string, string>();
  for (const cookie of `${ada.cookie}; ${cookiesOf(signedIn.headers)}`.split('; ')) {
    const [name = ''] = cookie.split('=', 1);
    assert.ok(!jar.has(name), `${name} is overwritten`);
    jar.set(name, cookie);
  }
  assert.ok(jar.size >= 3, 'a persistent session, and one that ends with the browser');
  const cookie = [...jar.values()].join('; ');
  const [here, there] = [new Person(server.url, cookie), new Person(other.url, cookie)];
  for (const person of [here, there]) assert.equal((await person.call('GET', '/v1/api-keys')).status, 200);
  const left = await there.call('POST', '/api/auth/sign-out', {});
  const [own = ''] = ada.cookie.split('=', 1);
  assert.ok(left.headers.getSetCookie().every((removed) => !removed.startsWith(own)));
  assert.equal((await there.call('GET', '/v1/api-keys')).status, 401);
  assert.equal((await here.call('GET', '/v1/api-keys')).status, 200);
});
