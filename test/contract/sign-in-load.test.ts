/** Many sign-ins at once: what of the server waits for them, and who is let in. */
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { assertProblem } from '../support/contract.ts';
import { bearer, call, type HttpResponse } from '../support/person.ts';
import { owner, startServer } from '../support/server.ts';

const server = await startServer({ env: { TRUST_PROXY: '127.0.0.1' } });
after(() => server.stop());
const ada = await server.signIn();

/** More than are admitted at a time on any number of cores, and wait together. */
const many = 64;

/**
 * Begins sign-ins from different addresses, of which none knows the password, and lets them go when the test ends.
 *
 * @returns the answers so far; the queue is full, because one of them has been rejected
 */
async function flood({ signal }: TestContext, network: string): Promise<HttpResponse[]> {
  const answers: HttpResponse[] = [];
  const calls = Array.from({ length: many }, async (_, i) => {
    const answer = await call(`${server.url}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'x-forwarded-for': `${network}.${i}` },
      body: { email: `guess${i}@example.com`, password: 'wrong password' },
      signal,
    });
    answers.push(answer);
    return answer.status === 503 ? answer : Promise.reject(new Error(`answered ${answer.status}`));
  });
  await Promise.any(calls);
  return answers;
}

test('revokes, session checks and verifications do not wait for sign-ins, and what is too many is told when to come back', async (t) => {
  const { apiKey, key } = await ada.makeKey({ name: 'leaked' });
  const answers = await flood(t, '192.0.2');
  assert.equal((await ada.call('GET', '/v1/api-keys')).status, 200);
  assert.equal((await ada.revoke(key.id)).status, 'revoked');
  assert.equal((await call(`${server.url}/v1/verify`, { headers: bearer(apiKey) })).status, 401);
  assert.ok(answers.length < many, 'sign-ins are still under way');
  for (const answer of answers.filter(({ status }) => status !== 401)) {
    assertProblem(answer, 'server_busy');
    assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  }
});

test('whoever signed in from an address before is let in ahead of strangers', async (t) => {
  const answers = await flood(t, '198.51.100');
  const person = await server.signIn();
  assert.equal((await person.call('GET', '/v1/api-keys')).status, 200);
  assert.ok(answers.length < many, 'strangers still wait');
});

/** More guesses than are hashed at a time on any machine, all from one address. */
function guesses(at: string, headers: Record<string, string> = {}): Promise<HttpResponse>[] {
  return Array.from({ length: 8 }, () =>
    call(`${at}/api/auth/sign-in/email`, {
      method: 'POST',
      headers,
      body: { email: owner.email, password: 'wrong password' },
    }),
  );
}

test('an address that has a sign-in waiting gets no second one', async () => {
  const answers = await Promise.all(guesses(server.url, { 'x-forwarded-for': '2001:db8::1' }));
  for (const answer of answers.filter(({ status }) => status !== 401)) assertProblem(answer, 'server_busy');
  assert.ok(answers.some(({ status }) => status === 503));
});

test('a server that is asked to stop with sign-ins under way ends by itself', async () => {
  const ending = await startServer();
  after(() => ending.stop());
  const answers = guesses(ending.url);
  // Once one is rejected, another one is hashed and one waits.
  assertProblem(await Promise.race(answers), 'server_busy');
  const stopped = ending.kill('SIGTERM');
  // A connection of which nothing was read yet is closed.
  const settled = await Promise.allSettled(answers);
  const statuses = settled.flatMap((outcome) =>
    outcome.status === 'fulfilled' ? [outcome.value.status] : [],
  );
  assert.ok(
    statuses.every((status) => status === 401 || status === 503),
    statuses.join(),
  );
  assert.deepEqual(await stopped, { code: 0, signal: null });
});
