/** Sign-in: how often a password can be guessed, and which routes of the auth library are reachable. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { hashPassword as hashByLibrary } from 'better-auth/crypto';
import { assertProblem } from '../support/contract.ts';
import { exchange } from '../support/http.ts';
import { inDatabase } from '../support/in-database.ts';
import { withinOneMinute } from '../support/limits.ts';
import { type MovableClock, startWithMovableClock } from '../support/movable-clock.ts';
import { call, cookiesOf, type HttpResponse, Person } from '../support/person.ts';
import { owner, startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

const { server, clock } = await startWithMovableClock();
after(() => server.stop());
const { server: proxied, clock: clockOfProxied } = await startWithMovableClock({ TRUST_PROXY: '127.0.0.1' });
after(() => proxied.stop());
const ada = await server.signIn();

function guess(at: TestServer, password: string, headers: Record<string, string> = {}, email = owner.email) {
  return call(`${at.url}/api/auth/sign-in/email`, { method: 'POST', headers, body: { email, password } });
}

/** More attempts than an address may make in a minute. */
const attempts = Array.from({ length: 12 }, (_, i) => `wrong password ${i}`);

/**
 * Resolves with the first 429. It does not wait for the other attempts, because hashing their passwords could take
 * longer than the minute of the limit.
 */
async function firstRejection(calls: readonly Promise<HttpResponse>[]): Promise<HttpResponse> {
  return Promise.any(
    calls.map(async (call) => {
      const response = await call;
      return response.status === 429 ? response : Promise.reject(new Error(`status ${response.status}`));
    }),
  );
}

/** Fails unless the response is a 429 with a Retry-After header. */
function assertRateLimited(response: HttpResponse, at: MovableClock, message = /from this IP address/): void {
  assert.match(assertProblem(response, 'rate_limited', at.now).message, message);
  assert.match(response.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
}

test('after ten attempts in a minute an address is blocked, whatever address its headers claim', async () => {
  await clock.beginMinute();
  const guesses = attempts.map((password) => guess(server, password));
  assertRateLimited(await firstRejection(guesses), clock);
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
  assertRateLimited(right, clock);
  assert.deepEqual(right.headers.getSetCookie(), []);
  assertRateLimited(await guess(server, 'wrong', {}, 'other@example.com'), clock);
  assert.equal((await ada.call('GET', '/v1/api-keys')).status, 200, 'existing sessions stay valid');
  // One attempt was the sign-in above. Attempts that are rejected because another one waits count too.
  const statuses = (await Promise.all(guesses)).map(({ status }) => status);
  assert.ok(statuses.includes(401), statuses.join());
});

test('behind a trusted proxy, each address has its own attempts', async () => {
  const from = (address: string, password: string) =>
    guess(proxied, password, { 'x-forwarded-for': address });
  await clockOfProxied.beginMinute();
  const guesses = attempts.map((password) => from('203.0.113.1', password));
  assertRateLimited(await firstRejection(guesses), clockOfProxied);
  assertRateLimited(await from('203.0.113.1', owner.password), clockOfProxied);
  assertRateLimited(await from('192.0.2.1, 203.0.113.1', owner.password), clockOfProxied);
  await Promise.all(guesses);
  assert.equal((await from('203.0.113.2', owner.password)).status, 200);
});

test('attempts to change the password are limited to ten per minute and address too', async () => {
  const person = await openSession(proxied);
  const change = (address: string, currentPassword: string) =>
    person.call(
      'POST',
      '/api/auth/change-password',
      { currentPassword, newPassword: 'taken over by an attacker' },
      { 'x-forwarded-for': address },
    );
  // The attempts of the previous test count in part in the next minute, and not at all in the one after it.
  await clockOfProxied.beginMinute();
  await clockOfProxied.beginMinute();
  const guesses = attempts.map((password) => change('203.0.113.1', password));
  assertRateLimited(await firstRejection(guesses), clockOfProxied);
  assertRateLimited(await change('203.0.113.1', owner.password), clockOfProxied);
  await Promise.all(guesses);
  assert.equal((await change('203.0.113.2', 'wrong')).status, 400, 'another address can still try');
  assert.equal((await guess(proxied, owner.password)).status, 200, 'the password is unchanged');
});

test('guesses from many addresses block unknown clients, but not known browsers, known addresses or sessions', async () => {
  const from = (address: string, password: string, headers: Record<string, string> = {}) =>
    guess(proxied, password, { ...headers, 'x-forwarded-for': address });
  const first = await from('198.51.100.1', owner.password);
  assert.equal(first.status, 200);
  const cookies = first.headers.getSetCookie().flatMap((cookie) => cookie.split(';', 1));
  const device = cookies.find((cookie) => cookie.includes('_device=')) ?? '';
  assert.match(device, /^soku_session\w*_device=/);
  let addresses = 0;
  await withinOneMinute(async () => {
    let response: HttpResponse;
    do {
      addresses += 1;
      response = await from(`192.0.2.${addresses}`, 'wrong password');
    } while (response.status === 401 && addresses < 200);
    assertRateLimited(response, clockOfProxied, /for this account/);
    assertRateLimited(await from('198.51.100.2', owner.password), clockOfProxied, /for this account/);
  });
  assert.equal((await from('198.51.100.1', owner.password)).status, 200, 'the address is known');
  assert.equal(
    (await from('198.51.100.3', owner.password, { cookie: device })).status,
    200,
    'the browser is known',
  );
  const person = new Person(proxied.url, cookiesOf(first.headers));
  assert.equal((await person.call('GET', '/v1/api-keys')).status, 200);
});

test('a password hash of the auth library is upgraded on the next sign-in', async () => {
  const [row] = await inDatabase(proxied, 'SELECT password FROM account');
  const current = String(row?.password);
  assert.match(current, /^\$scrypt\$ln=15,r=8,p=3\$/);
  const former = await hashByLibrary(owner.password);
  await inDatabase(proxied, 'UPDATE account SET password = ?', former);
  const from = (address: string, password: string) =>
    guess(proxied, password, { 'x-forwarded-for': address });
  assert.equal((await from('127.0.0.1', 'wrong password')).status, 401);
  const [kept] = await inDatabase(proxied, 'SELECT password FROM account');
  assert.equal(kept?.password, former);
  assert.equal((await from('127.0.0.1', owner.password)).status, 200);
  const [upgraded] = await inDatabase(proxied, 'SELECT password FROM account');
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
    const response = await exchange(`${server.url}${path}`, {
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

test('two servers on one host have separate sessions in one browser', async (t) => {
  const other = await startServer();
  t.after(() => other.stop());
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
