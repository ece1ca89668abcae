/** Sign-in: how often a password can be guessed. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertProblem } from '../support/contract.ts';
import { withinOneMinute } from '../support/limits.ts';
import { type MovableClock, startWithMovableClock } from '../support/movable-clock.ts';
import { call, cookiesOf, type HttpResponse, Person } from '../support/person.ts';
import { owner, type TestServer } from '../support/server.ts';
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
