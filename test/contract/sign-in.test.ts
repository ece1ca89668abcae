/** The way in: how often a password can be guessed, and what of the auth library is reachable. */
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

/** More attempts at once than an address has in a minute. */
const attempts = Array.from({ length: 12 }, (_, i) => `wrong password ${i}`);

/**
 * Resolves with the rejection of one attempt too many. It waits for no password to be checked, which could take longer
 * than the minute that is counted.
 */
async function tooManyOf(calls: readonly Promise<HttpResponse>[]): Promise<HttpResponse> {
  return Promise.any(
    calls.map(async (call) => {
      const answer = await call;
      return answer.status === 429 ? answer : Promise.reject(new Error(`answered ${answer.status}`));
    }),
  );
}

/** Fails unless the answer is the rejection of one attempt too many, which says when to come back. */
function assertTooMany(answer: HttpResponse, at: MovableClock, message = /from this IP address/): void {
  assert.match(assertProblem(answer, 'rate_limited', at.now).message, message);
  assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
}

test('after ten attempts in a minute an address cannot guess on, whatever it claims to be', async () => {
  await clock.beginMinute();
  const guesses = attempts.map((password) => guess(server, password));
  assertTooMany(await tooManyOf(guesses), clock);
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
  assertTooMany(right, clock);
  assert.deepEqual(right.headers.getSetCookie(), []);
  assertTooMany(await guess(server, 'wrong', {}, 'other@example.com'), clock);
  assert.equal((await ada.call('GET', '/v1/api-keys')).status, 200, 'whoever is in stays in');
  // One attempt was the sign-in above. Those that are rejected because another one waits count, too.
  const statuses = (await Promise.all(guesses)).map(({ status }) => status);
  assert.ok(statuses.includes(401), statuses.join());
});

test('behind a trusted proxy one address does not use up the attempts of another', async () => {
  const from = (address: string, password: string) =>
    guess(proxied, password, { 'x-forwarded-for': address });
  await clockOfProxied.beginMinute();
  const guesses = attempts.map((password) => from('203.0.113.1', password));
  assertTooMany(await tooManyOf(guesses), clockOfProxied);
  assertTooMany(await from('203.0.113.1', owner.password), clockOfProxied);
  assertTooMany(await from('192.0.2.1, 203.0.113.1', owner.password), clockOfProxied);
  await Promise.all(guesses);
  assert.equal((await from('203.0.113.2', owner.password)).status, 200);
});

test('after ten attempts in a minute an address cannot guess on at the change of the password either', async () => {
  const person = await openSession(proxied);
  const change = (address: string, currentPassword: string) =>
    person.call(
      'POST',
      '/api/auth/change-password',
      { currentPassword, newPassword: 'taken over by a thief' },
      { 'x-forwarded-for': address },
    );
  // The attempts of the test before count in part in the next minute, and not at all in the one after it.
  await clockOfProxied.beginMinute();
  await clockOfProxied.beginMinute();
  const guesses = attempts.map((password) => change('203.0.113.1', password));
  assertTooMany(await tooManyOf(guesses), clockOfProxied);
  assertTooMany(await change('203.0.113.1', owner.password), clockOfProxied);
  await Promise.all(guesses);
  assert.equal((await change('203.0.113.2', 'wrong')).status, 400, 'another address may still try');
  assert.equal((await guess(proxied, owner.password)).status, 200, 'the password is what it was');
});

test('guesses from many addresses make strangers wait, and neither a known browser or address nor anybody with a session', async () => {
  const from = (address: string, password: string, headers: Record<string, string> = {}) =>
    guess(proxied, password, { ...headers, 'x-forwarded-for': address });
  const first = await from('198.51.100.1', owner.password);
  assert.equal(first.status, 200);
  const cookies = first.headers.getSetCookie().flatMap((cookie) => cookie.split(';', 1));
  const device = cookies.find((cookie) => cookie.includes('_device=')) ?? '';
  assert.match(device, /^soku_session\w*_device=/);
  let addresses = 0;
  await withinOneMinute(async () => {
    let answer: HttpResponse;
    do {
      addresses += 1;
      answer = await from(`192.0.2.${addresses}`, 'wrong password');
    } while (answer.status === 401 && addresses < 200);
    assertTooMany(answer, clockOfProxied, /for this account/);
    assertTooMany(await from('198.51.100.2', owner.password), clockOfProxied, /for this account/);
  });
  assert.equal((await from('198.51.100.1', owner.password)).status, 200, 'the address is known');
  assert.equal(
    (await from('198.51.100.3', owner.password, { cookie: device })).status,
    200,
    'the browser is',
  );
  const person = new Person(proxied.url, cookiesOf(first.headers));
  assert.equal((await person.call('GET', '/v1/api-keys')).status, 200);
});

test('a hash of the auth library is upgraded by the next sign-in', async () => {
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
      assertProblem(answer, 'not_found');
    }
  }
  const odd = ['/api/auth/sign-up%2femail', '/api/auth//sign-up/email', '/api/auth/sign-in/../sign-up/email'];
  for (const path of odd) {
    const answer = await exchange(`${server.url}${path}`, {
      method: 'POST',
      fields: [['Content-Type', 'application/json']],
      body: JSON.stringify(body),
    });
    assertProblem(answer, 'not_found');
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

test('two servers on one host keep the sessions of one browser apart', async (t) => {
  const other = await startServer();
  t.after(() => other.stop());
  const signedIn = await call(`${other.url}/api/auth/sign-in/email`, {
    method: 'POST',
    body: { ...owner, rememberMe: false },
  });
  assert.equal(signedIn.status, 200, signedIn.text);
  // A browser keeps cookies by host and name, whatever the port (RFC 6265 section 8.5).
  const jar = new Map<string, string>();
  for (const cookie of `${ada.cookie}; ${cookiesOf(signedIn.headers)}`.split('; ')) {
    const [name = ''] = cookie.split('=', 1);
    assert.ok(!jar.has(name), `${name} is overwritten`);
    jar.set(name, cookie);
  }
  assert.ok(jar.size >= 3, 'one session, and one that is not remembered');
  const cookie = [...jar.values()].join('; ');
  const [here, there] = [new Person(server.url, cookie), new Person(other.url, cookie)];
  for (const person of [here, there]) assert.equal((await person.call('GET', '/v1/api-keys')).status, 200);
  const left = await there.call('POST', '/api/auth/sign-out', {});
  const [own = ''] = ada.cookie.split('=', 1);
  assert.ok(left.headers.getSetCookie().every((removed) => !removed.startsWith(own)));
  assert.equal((await there.call('GET', '/v1/api-keys')).status, 401);
  assert.equal((await here.call('GET', '/v1/api-keys')).status, 200);
});
