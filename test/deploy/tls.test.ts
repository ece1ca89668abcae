/** deploy/nginx.conf, with a real nginx in front of a real server. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { ProxyProcess, type Recipe } from '../proxies/proxy.ts';
import { debianProgram } from '../support/debian.ts';
import { blocks } from '../support/markdown.ts';
import { call } from '../support/person.ts';
import { createCertificate } from '../support/postgres-certificate.ts';
import { freePort, owner, root, startServer } from '../support/server.ts';

const nginx = debianProgram('nginx');
const skip = typeof nginx === 'string' ? nginx : false;

const recipe: Recipe = {
  program: 'nginx',
  page: 'docs/operations/deploy.md',
  examples: ['deploy/nginx.conf'],
  openBefore: '',
  scopesBefore: '',
  prepare: (folder) => {
    const user = process.getuid?.() === 0 ? 'user root;' : '';
    const paths = ['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    );
    const main = `${user} daemon off; pid ${folder}/pid; error_log stderr; events {}
      http { ${paths.join(' ')} include ${folder}/nginx.conf; }`;
    writeFileSync(join(folder, 'main.conf'), main);
    return ['-e', 'stderr', '-c', join(folder, 'main.conf')];
  },
};

test('the documentation shows the tested file unchanged', () => {
  const [file = ''] = recipe.examples;
  assert.deepEqual(blocks(recipe.page, `nginx file=${file}`), [readFileSync(join(root, file), 'utf8')]);
});

test('nginx terminates TLS, and Soku sees the public URL and the client', { skip }, async (t) => {
  const { url, plain, server, certificate } = await start(t);
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

async function start(t: TestContext) {
  assert.ok(typeof nginx !== 'string');
  const { certificate, key } = createCertificate();
  const folder = mkdtempSync(join(tmpdir(), 'soku-tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries({ 'fullchain.pem': certificate, 'privkey.pem': key }))
    writeFileSync(join(folder, name), content);
  const challenges = join(folder, 'acme/.well-known/acme-challenge');
  mkdirSync(challenges, { recursive: true });
  writeFileSync(join(challenges, 'token'), 'proof');
  const port = await freePort();
  const url = `https://localhost:${port}`;
  const server = await startServer({ env: { SOKU_PUBLIC_URL: url, TRUST_PROXY: '127.0.0.1' } });
  t.after(() => server.stop());
  const edit = (config: string) =>
    config
      .replaceAll('keys.example.com', 'localhost')
      .replaceAll('/etc/letsencrypt/live/localhost', folder)
      .replace('root /var/www/acme;', `root ${folder}/acme;`)
      .replace('listen 80;', 'listen 127.0.0.1:8080;')
      .replace('listen 443 ', `listen 127.0.0.1:${port} `);
  const proxy = await ProxyProcess.start(recipe, nginx, {
    soku: Number(new URL(server.url).port),
    api: 0,
    edit,
  });
  t.after(() => proxy.stop());
  return { url, plain: proxy.url, server, certificate };
}

/** Sends a request over HTTP/2. */
async function send(session: ClientHttp2Session, headers: Record<string, string>, body = '') {
  const stream = session.request(headers, { endStream: body === '' });
  if (body !== '') stream.end(body);
  const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
  stream.once('response', resolve).once('error', reject);
  const received = await promise;
  return { status: received[':status'], headers: received, body: await text(stream.setEncoding('utf8')) };
}
