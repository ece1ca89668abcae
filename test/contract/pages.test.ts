/** The files of the dashboard, as browsers, caches and monitors request them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertProblem } from '../support/contract.ts';
import { callWithFields } from '../support/http.ts';
import type { HttpResponse } from '../support/person.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const asks = (path: string, method = 'GET', accept = 'text/html') =>
  callWithFields(`${server.url}${path}`, { method, fields: [['Accept', accept]] });

/** The header fields, without those that differ from response to response. */
function fieldsOf({ headers }: HttpResponse): [string, string][] {
  return [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name));
}

test('HEAD gets the same response for a page or a file as GET, without a body', async () => {
  const page = await asks('/');
  const [asset = ''] = /\/assets\/[^"]+\.js/.exec(page.text) ?? [];
  assert.notEqual(asset, '');
  for (const [path, status, caching] of [
    ['/', 200, 'no-cache'],
    ['/settings/api', 200, 'no-cache'],
    ['/no-such-page', 404, 'no-cache'],
    [asset, 200, 'public, max-age=31536000, immutable'],
  ] as const) {
    const [got, head] = [await asks(path), await asks(path, 'HEAD')];
    assert.equal(got.status, status, path);
    assert.equal(got.headers.get('cache-control'), caching, path);
    assert.deepEqual([head.status, head.text], [status, ''], path);
    assert.deepEqual(fieldsOf(head), fieldsOf(got), path);
  }
});

test('a program that asks for a page that does not exist gets an error, and so does every other method', async () => {
  assertProblem(await asks('/no-such-page', 'GET', '*/*'), 'not_found');
  assertProblem(await asks('/v1/no-such-call'), 'not_found');
  for (const method of ['POST', 'PUT', 'DELETE']) assertProblem(await asks('/login', method), 'not_found');
});
