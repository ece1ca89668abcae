/** The server creates its own id for each request, and logs the id that the client sent with it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import { callWithFields, type Fields } from '../support/http.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

// At this level each request has a line in the log.
const server = await sharedServer({ LOG_LEVEL: 'trace' });

/** Sends a request, and returns its line in the log. */
async function logged(fields: Fields, path = '/v1/verify'): Promise<string> {
  const { headers } = await callWithFields(`${server.url}${path}`, { fields });
  const id = headers.get('x-request-id') ?? 'none';
  assert.match(id, /^req_/);
  await server.printed(id);
  return server.output.split('\n').find((text) => text.includes(id)) ?? '';
}

test("a client's X-Request-Id is logged with the id of the server", async () => {
  for (const clientId of ['a', 'Order-7.3_x', 'z-'.repeat(32)]) {
    for (const path of ['/v1/verify', '/v1/verify/x', '/v1/me', '/none']) {
      const line = await logged([['X-Request-Id', clientId]], path);
      assert.ok(line.includes(`"clientRequestId":"${clientId}"`), line);
    }
  }
});

test('an X-Request-Id that is malformed or contains a key is not logged', async () => {
  const key = generateKey();
  for (const clientId of ['', 'a b', 'a"b', 'ä', 'z'.repeat(65), key, `x-${key}`]) {
    const line = await logged([['X-Request-Id', clientId]]);
    assert.ok(!line.includes('clientRequestId'), line);
  }
  assert.ok(!(await logged([])).includes('clientRequestId'));
});

test('a path with an empty id is not found', async () => {
  const ada = await openSession(server);
  for (const [method, path] of [
    ['GET', '/v1/api-keys/'],
    ['PATCH', '/v1/api-keys/'],
    ['GET', '/v1/api-keys//usage'],
    ['POST', '/v1/api-keys//revoke'],
  ] as const) {
    const response = await ada.call(method, path, method === 'GET' ? undefined : {});
    assert.equal(response.status, 404, `${method} ${path}: ${response.text}`);
  }
  assert.equal((await ada.call('GET', '/v1/api-keys/none')).status, 400);
});
