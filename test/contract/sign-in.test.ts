/** How often a password can be guessed. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertProblem } from '../support/contract.ts';
import { call, cookiesOf, type HttpResponse, Person } from '../support/person.ts';
import { owner, startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

const server = await startServer();
after(() => server.stop());
const proxied = await startServer({ env: { TRUST_PROXY: '127.0.0.1' } });
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
function assertTooMany(answer: HttpResponse, message = /from this IP address/): void {
  assert.match(assertProblem(answer, 'rate_limited').message, message);
  assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
}

test('after ten attempts in a minute an address cannot guess on, whatever it claims to be', async () => {
  const guesses = attempts.map((password) => guess(server, password));
  assertTooMany(await tooManyOf(guesses));
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
  assertTooMany(right);
  assert.deepEqual(right.headers.getSetCookie(), []);
  assertTooMany(await guess(server, 'wrong', {}, 'other@example.com'));
  assert.equal((await ada.call('GET', '/v1/api-keys')).status, 200, 'whoever is in stays in');
  // One attempt was the sign-in above. Those that are rejected because another one waits count, too.
  const statuses = (await Promise.all(guesses)).map(({ status }) => status);
  assert.ok(statuses.includes(401), statuses.join());
});

test('behind a trusted proxy one address does not use up the attempts of another', async () => {
  const from = (address: string, password: string) =>
    guess(proxied, password, { 'x-forwarded-for': address });
  const guesses = attempts.map((password) => from('203.0.113.1', password));
  assertTooMany(await tooManyOf(guesses));
  assertTooMany(await from('203.0.113.1', owner.password));
  assertTooMany(await from('192.0.2.1, 203.0.113.1', owner.password));
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
  const guesses = attempts.map((password) => change('203.0.113.1', password));
  assertTooMany(await tooManyOf(guesses));
  assertTooMany(await change('203.0.113.1', owner.password));
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
  let answer = await from('192.0.2.1', 'wrong password');
  for (let i = 2; answer.status === 401 && i < 100; i++)
    answer = await from(`192.0.2.${i}`, 'wrong password');
  assertTooMany(answer, /for this account/);
  assertTooMany(await from('198.51.100.2', owner.password), /for this account/);
  assert.equal((await from('198.51.100.1', owner.password)).status, 200, 'the address is known');
  assert.equal(
    (await from('198.51.100.3', owner.password, { cookie: device })).status,
    200,
    'the browser is',
  );
  const person = new Person(proxied.url, cookiesOf(first.headers));
  assert.equal((await person.call('GET', '/v1/api-keys')).status, 200);
});
