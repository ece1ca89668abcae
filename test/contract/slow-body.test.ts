/** Callers that lose access between the headers and the end of the body of a call (ASVS 8.3.2, 15.4.2). */
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

/** Sends a call with its body in two parts, and runs `meanwhile` between them. */
async function sendInTwoParts(
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
  const { promise: responded, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  call.once('response', resolve).once('error', reject);
  call.flushHeaders();
  // The server sends 100 after it has read the headers. By then the first check of the caller is done or in progress.
  await once(call, 'continue');
  call.write(bytes.slice(0, 5));
  await meanwhile();
  call.end(bytes.slice(5));
  const response = await responded;
  return {
    status: response.statusCode,
    code: errorSchema.parse(JSON.parse(await text(response))).error.code,
  };
}

async function names(): Promise<string[]> {
  const { body } = await ada.call('GET', '/v1/api-keys?status=all');
  return keyListSchema.parse(body).data.map(({ name }) => name);
}

test('a key that is revoked while it sends the body of a create call creates no key', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'creator', scopes: ['keys:write'] });
  const before = await names();
  const result = await sendInTwoParts(
    'POST',
    '/v1/api-keys',
    { caller: bearer(apiKey), body: { name: 'child' } },
    () => ada.revoke(key.id),
  );
  assert.deepEqual(result, { status: 401, code: 'revoked_key' });
  assert.deepEqual(await names(), before);
});

test('a key that is revoked while it sends the body of a verify call gets no result', async () => {
  const verified = await ada.createKey({ name: 'verified' });
  const { apiKey, key } = await ada.createKey({ name: 'back end', scopes: ['keys:verify'] });
  const result = await sendInTwoParts(
    'POST',
    '/v1/verify',
    { caller: bearer(apiKey), body: { apiKey: verified.apiKey } },
    () => ada.revoke(key.id),
  );
  assert.deepEqual(result, { status: 401, code: 'revoked_key' });
});

test('a key that is revoked while it sends the body of a rename call renames nothing', async () => {
  const { key: target } = await ada.createKey({ name: 'target' });
  const { apiKey, key } = await ada.createKey({ name: 'renamer', scopes: ['keys:write'] });
  const before = await names();
  const result = await sendInTwoParts(
    'PATCH',
    `/v1/api-keys/${target.id}`,
    { caller: bearer(apiKey), body: { name: 'defaced' } },
    () => ada.revoke(key.id),
  );
  assert.deepEqual(result, { status: 401, code: 'revoked_key' });
  assert.deepEqual(await names(), before);
});

test('a session that is signed out while it sends the body of a create call creates no key', async () => {
  const elsewhere = await openSession(server);
  const before = await names();
  const result = await sendInTwoParts(
    'POST',
    '/v1/api-keys',
    { caller: { cookie: elsewhere.cookie }, body: { name: 'late' } },
    async () => assert.equal((await elsewhere.call('POST', '/api/auth/sign-out', {})).status, 200),
  );
  assert.deepEqual(result, { status: 401, code: 'session_over' });
  assert.deepEqual(await names(), before);
});
