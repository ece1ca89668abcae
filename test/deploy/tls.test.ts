/** deploy/nginx.conf, with a real nginx in front of a real server. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { codeBlocks } from '../support/markdown.ts';
import { call } from '../support/person.ts';
import { owner, root } from '../support/server.ts';
import { skipWithoutNginx, startTlsProxy } from './tls-proxy.ts';

const example = 'deploy/nginx.conf';
const skip = skipWithoutNginx;

test('the documentation shows the tested file unchanged', () => {
  const shown = codeBlocks('docs/operations/deploy.md', `nginx file=${example}`);
  assert.deepEqual(shown, [readFileSync(join(root, example), 'utf8')]);
});

test('nginx terminates TLS, and Soku sees the public URL and the client', { skip }, async (t) => {
  const { url, plain, server, certificate } = await startTlsProxy(t, { example, host: 'keys.example.com' });
  const session = connect(url, { ca: certificate });
  t.after(() => session.close());

  const page = await send(session, { ':path': '/settings/api' });
  assert.deepEqual([page.status, page.headers['strict-transport-security']], [200, 'max-age=31536000']);
  const signIn = await send(
    session,
    {
      ':path': '/api/auth/sign-in/email',
      ':method': 'POST',
      origin: url,
      'content-type': 'application/json',
      'x-forwarded-for': '203.0.113.9',
    },
    JSON.stringify(owner),
  );
  assert.equal(signIn.status, 200, signIn.body);
  assert.match(String(signIn.headers['set-cookie']), /; Secure/);
  await server.printed('signed in');
  assert.doesNotMatch(server.output, /203\.0\.113\.9/, 'the client chose its address');

  // nginx would return its own 413 for more than 1 MB.
  const large = await send(
    session,
    { ':path': '/v1/api-keys/import', ':method': 'POST', 'content-type': 'application/json' },
    JSON.stringify({ keys: 'x'.repeat(3_000_000) }),
  );
  assert.match(large.body, /^\{"error":/, `${large.status}`);
  for (const path of ['/metrics', '/v1/nodes'])
    assert.equal((await send(session, { ':path': path })).status, 404);
  assert.equal((await send(session, { ':path': '/readyz' })).status, 200);

  const redirect = await fetch(plain, { redirect: 'manual' });
  assert.deepEqual([redirect.status, redirect.headers.get('location')], [308, 'https://localhost/']);
  assert.equal((await call(`${plain}/v1/me`)).status, 403);
  assert.equal(await (await fetch(`${plain}/.well-known/acme-challenge/token`)).text(), 'proof');
});

/** Sends a request over HTTP/2. */
async function send(session: ClientHttp2Session, headers: Record<string, string>, body = '') {
  const stream = session.request(headers, { endStream: body === '' });
  if (body !== '') stream.end(body);
  const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
  stream.once('response', resolve).once('error', reject);
  const received = await promise;
  return { status: received[':status'], headers: received, body: await text(stream.setEncoding('utf8')) };
}
