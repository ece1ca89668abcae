/** Callers that lose their right to a call between its headers and the end of its body (ASVS 8.3.2, 15.4.2). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { errorSchema } from '@soku/contract/errors';
import { keyListSchema } from '@soku/contract/keys';
import { bearer } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const ada = await openSession(server);

/** Sends a call whose body comes in two parts, and does something between them. */
async function trickle(
  method: string,
  path: string,
  { caller, body }: { caller: Record<string, string>; body: unknown },
  meanwhile: () => Promise<unknown>,
): Promise<{ status: number | undefined; code: string }> {
  const bytes = JSON.stringify(body);
  const call = request(`${server.url}${path}`, {
    method,
    headers: {
      ...caller,
      'content-type': 'application/json',
      'content-length': bytes.length,
      expect: '100-continue',
    },
  });
  const { promise: answered, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  call.once('response', resolve).once('error', reject);
  call.flushHeaders();
  // The server answers 100 when it has read the headers; by then the first look at the caller is done or under way.
  await once(call, 'continue');
  call.write(bytes.slice(0, 5));
  await meanwhile();
  call.end(bytes.slice(5));
  const response = await answered;
  return {
    status: response.statusCode,
    code: errorSchema.parse(JSON.parse(await text(response))).error.code,
  };
}

async function names(): Promise<string[]> {
  const { body } = await ada.call('GET', '/v1/api-keys?status=all');
  return keyListSchema.parse(body).data.map(({ name }) => name);
}

test('a key that is revoked while it sends the body of a creation makes no key', async () => {
  const { apiKey, key } = await ada.makeKey({ name: 'thief', scopes: ['keys:write'] });
  const before = await names();
  const answer = await trickle(
    'POST',
    '/v1/api-keys',
    { caller: bearer(apiKey), body: { name: 'child' } },
    () => ada.revoke(key.id),
  );
  assert.deepEqual(answer, { status: 401, code: 'revoked_key' });
  assert.deepEqual(await names(), before);
});

test('a key that is revoked while it asks about another one gets no answer', async () => {
  const asked = await ada.makeKey({ name: 'asked about' });
  const { apiKey, key } = await ada.makeKey({ name: 'back end', scopes: ['keys:verify'] });
  const answer = await trickle(
    'POST',
    '/v1/verify',
    { caller: bearer(apiKey), body: { apiKey: asked.apiKey } },
    () => ada.revoke(key.id),
  );
  assert.deepEqual(answer, { status: 401, code: 'revoked_key' });
});

test('a key that is revoked while it sends a new name renames nothing', async () => {
  const { key: target } = await ada.makeKey({ name: 'target' });
  const { apiKey, key } = await ada.makeKey({ name: 'vandal', scopes: ['keys:write'] });
  const before = await names();
  const answer = await trickle(
    'PATCH',
    `/v1/api-keys/${target.id}`,
    { caller: bearer(apiKey), body: { name: 'defaced' } },
    () => ada.revoke(key.id),
  );
  assert.deepEqual(answer, { status: 401, code: 'revoked_key' });
  assert.deepEqual(await names(), before);
});

test('a session that is signed out while it sends the body of a creation makes no key', async () => {
  const elsewhere = await openSession(server);
  const before = await names();
  const answer = await trickle(
    'POST',
    '/v1/api-keys',
    { caller: { cookie: elsewhere.cookie }, body: { name: 'late' } },
    async () => assert.equal((await elsewhere.call('POST', '/api/auth/sign-out', {})).status, 200),
  );
  assert.deepEqual(answer, { status: 401, code: 'session_over' });
  assert.deepEqual(await names(), before);
});
