/** Many concurrent sign-ins: they do not block other requests, and known addresses come first. */
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { assertProblem } from '../support/contract.ts';
import { bearer, call, type HttpResponse } from '../support/person.ts';
import { owner, startServer } from '../support/server.ts';

const server = await startServer({ env: { TRUST_PROXY: '127.0.0.1' } });
after(() => server.stop());
const ada = await server.signIn();

/** More than can run and wait at a time, on any number of cores. */
const many = 64;

/**
 * Starts sign-ins with wrong passwords from different addresses, and cancels them when the test ends.
 *
 * @returns the responses so far; the queue is full, because one of them was a rejection
 */
async function flood({ signal }: TestContext, network: string): Promise<HttpResponse[]> {
  const responses: HttpResponse[] = [];
  const calls = Array.from({ length: many }, async (_, i) => {
    const response = await call(`${server.url}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'x-forwarded-for': `${network}.${i}` },
      body: { email: `guess${i}@example.com`, password: 'wrong password' },
      signal,
    });
    responses.push(response);
    return response.status === 503 ? response : Promise.reject(new Error(`status ${response.status}`));
  });
  await Promise.any(calls);
  return responses;
}

test('sign-ins do not block revokes, sessions and verifications, and excess ones get a Retry-After', async (t) => {
  const { apiKey, key } = await ada.createKey({ name: 'leaked' });
  const responses = await flood(t, '192.0.2');
  assert.equal((await ada.call('GET', '/v1/api-keys')).status, 200);
  assert.equal((await ada.revoke(key.id)).status, 'revoked');
  assert.equal((await call(`${server.url}/v1/verify`, { headers: bearer(apiKey) })).status, 401);
  assert.ok(responses.length < many, 'sign-ins are still in progress');
  for (const response of responses.filter(({ status }) => status !== 401)) {
    assertProblem(response, 'server_busy');
    assert.match(response.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  }
});

test('a sign-in from a known address goes ahead of sign-ins from unknown addresses', async (t) => {
  const responses = await flood(t, '198.51.100');
  const person = await server.signIn();
  assert.equal((await person.call('GET', '/v1/api-keys')).status, 200);
  assert.ok(responses.length < many, 'sign-ins from unknown addresses still wait');
});

/** Starts more guesses than any machine hashes at a time, all from one address. */
function guesses(at: string, headers: Record<string, string> = {}): Promise<HttpResponse>[] {
  return Array.from({ length: 8 }, () =>
    call(`${at}/api/auth/sign-in/email`, {
      method: 'POST',
      headers,
      body: { email: owner.email, password: 'wrong password' },
    }),
  );
}

test('an address with a waiting sign-in cannot queue a second one', async () => {
  const responses = await Promise.all(guesses(server.url, { 'x-forwarded-for': '2001:db8::1' }));
  for (const response of responses.filter(({ status }) => status !== 401))
    assertProblem(response, 'server_busy');
  assert.ok(responses.some(({ status }) => status === 503));
});

test('a server that is stopped during sign-ins exits cleanly', async () => {
  const ending = await startServer();
  after(() => ending.stop());
  const responses = guesses(ending.url);
  // After one rejection, another guess is being hashed and one is waiting.
  assertProblem(await Promise.race(responses), 'server_busy');
  const stopped = ending.kill('SIGTERM');
  // The server closes connections from which it has read nothing yet.
  const settled = await Promise.allSettled(responses);
  const statuses = settled.flatMap((outcome) =>
    outcome.status === 'fulfilled' ? [outcome.value.status] : [],
  );
  assert.ok(
    statuses.every((status) => status === 401 || status === 503),
    statuses.join(),
  );
  assert.deepEqual(await stopped, { code: 0, signal: null });
});
