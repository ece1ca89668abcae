/** The id of a request is ours; what the client calls it is in the log beside it. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { generateKey } from '@soku/key';
import { exchange, type Fields } from '../support/http.ts';
import { startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

// At this level each request has a line in the log.
const server = await startServer({ env: { LOG_LEVEL: 'debug' } });
after(() => server.stop());

/** The line of a request in the log. */
async function logged(fields: Fields, path = '/v1/verify'): Promise<string> {
  const { headers } = await exchange(`${server.url}${path}`, { fields });
  const id = headers.get('x-request-id') ?? 'none';
  assert.match(id, /^req_/);
  await server.printed(id);
  return server.output.split('\n').find((text) => text.includes(id)) ?? '';
}

test("a client's X-Request-Id is logged beside ours", async () => {
  for (const theirs of ['a', 'Order-7.3_x', 'z-'.repeat(32)]) {
    for (const path of ['/v1/verify', '/v1/verify/x', '/v1/me', '/none']) {
      const line = await logged([['X-Request-Id', theirs]], path);
      assert.ok(line.includes(`"clientRequestId":"${theirs}"`), line);
    }
  }
});

test('one of another form, or with a key in it, is not logged', async () => {
  const key = generateKey();
  for (const theirs of ['', 'a b', 'a"b', 'ä', 'z'.repeat(65), key, `x-${key}`]) {
    const line = await logged([['X-Request-Id', theirs]]);
    assert.ok(!line.includes('clientRequestId'), line);
  }
  assert.ok(!(await logged([])).includes('clientRequestId'));
});

test('a path that ends in a slash where an id belongs is not found', async () => {
  const ada = await openSession(server);
  for (const [method, path] of [
    ['GET', '/v1/api-keys/'],
    ['PATCH', '/v1/api-keys/'],
    ['GET', '/v1/api-keys//usage'],
    ['POST', '/v1/api-keys//revoke'],
  ] as const) {
    const answer = await ada.call(method, path, method === 'GET' ? undefined : {});
    assert.equal(answer.status, 404, `${method} ${path}: ${answer.text}`);
  }
  assert.equal((await ada.call('GET', '/v1/api-keys/none')).status, 400);
});
