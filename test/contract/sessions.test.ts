/** What a session may do, and when it ends. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { browserSessionSchema, sessionSchema } from '@soku/contract/accounts';
import { z } from 'zod';
import { assertProblem, Contract } from '../support/contract.ts';
import { call, cookiesOf, type HttpResponse, Person, signCookie } from '../support/person.ts';
import { runSql } from '../support/run-sql.ts';
import { databaseVariables, owner, startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

/** Sign-ins are limited by address, so each sign-in in this file uses a different one. Each hashes a password. */
const server = await startServer({ env: { TRUST_PROXY: '127.0.0.1' } });
after(() => server.stop());
const contract = await Contract.of(server);

let addresses = 0;
async function trySignIn(password: string): Promise<HttpResponse> {
  addresses += 1;
  return call(`${server.url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'x-forwarded-for': `192.0.2.${addresses}` },
    body: { ...owner, password },
  });
}

async function signIn(password: string): Promise<Person> {
  const response = await trySignIn(password);
  assert.equal(response.status, 200, response.text);
  return new Person(server.url, cookiesOf(response.headers));
}

const list = (as: Person) => contract.call('GET', '/v1/api-keys', { as });

async function userOf(person: Person): Promise<string | undefined> {
  return sessionSchema.parse((await person.call('GET', '/api/session')).body).user?.email;
}

/** Moves a person's sign-in back in time, as if the browser had stayed open. */
async function ageSession(person: Person, hours: number): Promise<void> {
  const before = new Date(Date.now() - hours * 60 * 60 * 1000).toISOString();
  const update = 'UPDATE session SET "createdAt" = ? WHERE token = ? RETURNING id';
  assert.equal((await runSql(server, update, before, person.storedToken)).length, 1);
}

/** Epoch ms of a column, which is text on SQLite and a Date on PostgreSQL. */
function time(value: unknown): number {
  assert.ok(typeof value === 'string' || value instanceof Date);
  return new Date(value).getTime();
}

test('signing out ends a session immediately for every call', async () => {
  const person = await openSession(server);
  assert.equal((await list(person)).status, 200);
  assert.equal(await userOf(person), owner.email);
  assert.equal((await person.call('POST', '/api/auth/sign-out', {})).status, 200);
  const calls = [
    ['GET', '/v1/api-keys', undefined],
    ['POST', '/v1/api-keys', { name: 'x' }],
    ['GET', `/v1/api-keys/key_${'0'.repeat(26)}`, undefined],
    ['PATCH', `/v1/api-keys/key_${'0'.repeat(26)}`, { name: 'x' }],
    ['POST', `/v1/api-keys/key_${'0'.repeat(26)}/revoke`, undefined],
  ] as const;
  for (const [method, path, body] of calls) {
    const response = await contract.call(method, path, { as: person, ...(body && { body }) });
    assertProblem(response, 'session_over');
    assert.equal(response.headers.get('www-authenticate'), 'Bearer realm="soku"');
  }
  assert.equal(await userOf(person), undefined);
});

test('signing out of one session does not end the others', async () => {
  const [one, other] = [await openSession(server), await openSession(server)];
  await one.call('POST', '/api/auth/sign-out', {});
  assertProblem(await list(one), 'session_over');
  assert.equal((await list(other)).status, 200);
});

test('a changed, truncated or forged cookie is not a session', async () => {
  const { cookie } = await openSession(server);
  const [name = '', value = ''] = cookie.split('=', 2);
  const token = value.split('.', 1)[0];
  for (const forged of [
    '',
    'x',
    `${value.slice(0, -8)}`,
    `x${value}`,
    `${token}`,
    `${token}.`,
    `${token}.AAAA`,
  ]) {
    assertProblem(await list(new Person(server.url, `${name}=${forged}`)), 'session_over');
  }
});

test('a session cannot use /v1/me, which requires a key', async () => {
  const person = await openSession(server);
  assertProblem(await contract.call('GET', '/v1/me', { as: person }), 'missing_authorization');
});

test('other cookies of the host do not count as a session', async () => {
  const stranger = new Person(server.url, 'theme=dark; other_session=1');
  assertProblem(await list(stranger), 'missing_authorization');
});

test('ASVS 7.5.3: two hours after sign-in a session cannot create keys, but can still read and revoke them', async () => {
  const person = await openSession(server);
  const { key } = await person.createKey({ name: 'in time' });
  const createKey = () => contract.call('POST', '/v1/api-keys', { as: person, body: { name: 'too late' } });
  await ageSession(person, 1.9);
  assert.equal((await createKey()).status, 201);
  await ageSession(person, 2.1);
  assertProblem(await createKey(), 'recent_login_required');
  assert.equal((await list(person)).status, 200);
  assert.equal((await person.revoke(key.id)).status, 'revoked');
  const again = await openSession(server);
  assert.equal((await again.createKey({ name: 'after another sign-in' })).key.status, 'active');
});

test('a copy of the database and the signing secret does not grant a session', async () => {
  const person = await signIn(owner.password);
  const { SOKU_SECRET: secret = readFileSync(join(server.dataDir, 'secret'), 'utf8').trim() } =
    await databaseVariables(server.dataDir);
  const [name = ''] = person.cookie.split('=', 1);
  assert.equal(
    signCookie(name, person.token, secret),
    person.cookie.split('; ')[0],
    'the test signs cookies like the server',
  );
  const values = new Set<string>();
  for (const table of ['session', 'verification', 'account', '"user"']) {
    for (const row of await runSql(server, `SELECT * FROM ${table}`)) {
      for (const value of Object.values(row)) values.add(String(value));
    }
  }
  assert.ok(values.has(person.storedToken));
  assert.ok(!values.has(person.token));
  for (const value of values) {
    const attacker = new Person(server.url, signCookie(name, value, secret));
    assertProblem(await list(attacker), 'session_over');
    assert.equal(await userOf(attacker), undefined);
  }
  assert.equal((await list(person)).status, 200, 'the owner of the cookie still has a session');
});

test('a session in use is extended, and its cookie stays the same', async () => {
  const person = await openSession(server);
  const inDays = (days: number) => new Date(Date.now() + days * 24 * 60 * 60 * 1000);
  const update = 'UPDATE session SET "expiresAt" = ? WHERE token = ? RETURNING id';
  const changed = await runSql(server, update, inDays(10).toISOString(), person.storedToken);
  assert.equal(changed.length, 1);
  const response = await person.call('GET', '/api/session');
  assert.equal(cookiesOf(response.headers), person.cookie.split('; ')[0]);
  const extended = (await sessionsOf(person)).find(({ current }) => current);
  assert.ok(new Date(extended?.expiresAt ?? 0) > inDays(13));
});

/** The sessions that a person sees. The response contains no token of the session. */
async function sessionsOf(person: Person) {
  const response = await person.call('GET', '/api/auth/list-sessions');
  assert.equal(response.status, 200, response.text);
  assert.ok(!response.text.includes(person.token) && !response.text.includes(person.storedToken));
  return z.array(browserSessionSchema.strict()).parse(response.body);
}

test('sessions are listed with ids and ended by id', async () => {
  const [here, elsewhere] = [await openSession(server), await openSession(server)];
  const other = (await sessionsOf(elsewhere)).find(({ current }) => current);
  const own = (await sessionsOf(here)).find(({ current }) => current);
  assert.ok(other !== undefined && own !== undefined && other.id !== own.id);
  const endSession = (id: string) => here.call('POST', '/api/auth/revoke-session', { id });
  for (const id of [elsewhere.token, elsewhere.storedToken, 'no-such-session']) {
    assert.deepEqual((await endSession(id)).body, { status: true });
  }
  assert.equal((await list(elsewhere)).status, 200, 'a token is not an id');
  assert.equal((await endSession(other.id)).status, 200);
  assertProblem(await list(elsewhere), 'session_over');
  assert.ok((await sessionsOf(here)).every(({ id }) => id !== other.id));
  const expired = await openSession(server);
  const expire = 'UPDATE session SET "expiresAt" = ? WHERE token = ? RETURNING id';
  const [{ id: expiredId } = {}] = await runSql(
    server,
    expire,
    new Date(Date.now() - 1000).toISOString(),
    expired.storedToken,
  );
  assert.ok(typeof expiredId === 'string');
  assert.ok((await sessionsOf(here)).every(({ id }) => id !== expiredId));
  await endSession(own.id);
  assertProblem(await list(here), 'session_over');
  assertProblem(await endSession(own.id), 'session_over');
});

test('signing out everywhere ends all sessions, and signing out elsewhere keeps the current one', async () => {
  const [one, two, three] = [await openSession(server), await openSession(server), await openSession(server)];
  assert.equal((await one.call('POST', '/api/auth/revoke-other-sessions', {})).status, 200);
  assert.equal((await list(one)).status, 200);
  for (const person of [two, three]) assertProblem(await list(person), 'session_over');
  const four = await openSession(server);
  assert.equal((await four.call('POST', '/api/auth/revoke-sessions', {})).status, 200);
  for (const person of [one, four]) assertProblem(await list(person), 'session_over');
});

test('a session ends 30 days after sign-in, however often it was used', async () => {
  const [extendedSession, old] = [await openSession(server), await openSession(server)];
  const day = 24;
  await ageSession(extendedSession, 29 * day);
  await runSql(server, 'UPDATE session SET "expiresAt" = ?', new Date(Date.now() + 60_000).toISOString());
  assert.equal(await userOf(extendedSession), owner.email);
  const rows = await runSql(
    server,
    'SELECT "createdAt", "expiresAt" FROM session ORDER BY "createdAt" LIMIT 1',
  );
  const { createdAt, expiresAt } = rows[0] ?? {};
  assert.equal(
    (time(expiresAt) - time(createdAt)) / 3_600_000,
    30 * day,
    'it is extended to 30 days and no further',
  );
  await ageSession(old, 30 * day);
  assertProblem(await list(old), 'session_over');
  assert.equal(await userOf(old), undefined);
});

test('a common password or the email address itself is rejected as a new password', async () => {
  const person = await openSession(server);
  for (const newPassword of ['PassWord1', owner.email.toUpperCase()]) {
    const response = await person.call('POST', '/api/auth/change-password', {
      currentPassword: owner.password,
      newPassword,
    });
    assert.equal(assertProblem(response, 'invalid_request').details?.[0]?.path, 'newPassword');
  }
  assert.equal((await trySignIn(owner.password)).status, 200);
});

test('a wrong password and an unknown email get the same response', async () => {
  const wrong = await trySignIn('not the password');
  const unknown = await call(`${server.url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'x-forwarded-for': '192.0.2.250' },
    body: { email: 'stranger@example.com', password: owner.password },
  });
  assert.equal(wrong.status, 401);
  assert.deepEqual([unknown.status, unknown.body], [wrong.status, wrong.body]);
});

// The last test, because it changes the password.
test('after a password change only the new password works, and all other sessions end', async () => {
  const [here, elsewhere] = [await openSession(server), await openSession(server)];
  const change = (currentPassword: string, newPassword: string) =>
    here.call('POST', '/api/auth/change-password', {
      currentPassword,
      newPassword,
      // The server ignores this field.
      revokeOtherSessions: false,
    });
  assert.equal((await change('not the password', 'another good one')).status, 400);
  assert.equal((await list(elsewhere)).status, 200, 'a rejected change ends no session');
  const changed = await change(owner.password, 'another good one');
  assert.equal(changed.status, 200, changed.text);
  assertProblem(await list(elsewhere), 'session_over');
  const continued = new Person(server.url, cookiesOf(changed.headers));
  assert.equal((await list(continued)).status, 200);
  assert.equal((await trySignIn(owner.password)).status, 401);
  await signIn('another good one');
});
