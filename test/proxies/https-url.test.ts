/** The proxies' examples call Soku over https as the help page "Protect an API" shows them for an https URL. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as forward } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import {
  adaptCaddyExample,
  adaptHaproxyExample,
  adaptNginxExample,
  parseSokuUrl,
} from '../../packages/dashboard/src/pages/help/protect/adapt-examples.ts';
import { debianProgram } from '../support/debian.ts';
import { bearer, call } from '../support/person.ts';
import { createCertificate } from '../support/postgres-certificate.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';
import { ProxyProcess, type Recipe } from './proxy.ts';
import { RecordedServer } from './recorded-server.ts';

const server = await sharedServer();
const ada = await openSession(server);
const folder = mkdtempSync(join(tmpdir(), 'soku-https-'));
after(() => rmSync(folder, { recursive: true }));

/** The port of the examples, which a run replaces. */
const url = parseSokuUrl('https://localhost:3000');

/** Terminates TLS in front of Soku, and returns its port and the file with its certificate. */
async function startTls(t: TestContext): Promise<{ port: number; trusted: string }> {
  const { certificate, key } = createCertificate();
  const trusted = join(folder, `${t.name.split(' ')[0]}.pem`);
  writeFileSync(trusted, certificate);
  const tls = createServer({ cert: certificate, key }, (request, response) => {
    const { method, url: path = '/', headers } = request;
    const passed = forward(new URL(path, server.url), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(passed);
  });
  await once(tls.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    tls.closeAllConnections();
    tls.close();
  });
  const address = tls.address();
  assert.ok(address !== null && typeof address === 'object');
  return { port: address.port, trusted };
}

const nginxFiles = (at: string) =>
  ['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'].map((name) => `${name}_temp_path ${at}/${name};`);

interface Case extends Pick<Recipe, 'program' | 'examples' | 'prepare'> {
  /** @param trusted the file with the certificate of the authority */
  edit: (text: string, trusted: string) => string;
}

const cases: Case[] = [
  {
    program: 'nginx',
    examples: ['examples/nginx/soku.conf'],
    prepare: (at) => {
      const user = process.getuid?.() === 0 ? 'user root;' : '';
      const main = `${user} daemon off; pid ${at}/pid; error_log stderr; events {}
        http { ${nginxFiles(at).join(' ')} include ${at}/soku.conf; }`;
      writeFileSync(join(at, 'nginx.conf'), main);
      return ['-e', 'stderr', '-c', join(at, 'nginx.conf')];
    },
    edit: (text, trusted) =>
      adaptNginxExample(text, url)
        .replace('/etc/ssl/certs/ca-certificates.crt', trusted)
        // nginx verifies names, and no addresses.
        .replace('proxy_ssl_name 127.0.0.1;', 'proxy_ssl_name localhost;'),
  },
  {
    program: 'haproxy',
    examples: ['examples/haproxy/haproxy.cfg', 'examples/haproxy/soku.lua'],
    prepare: (at) => ['-db', '-f', join(at, 'haproxy.cfg')],
    // HAProxy verifies names only, and resolves them with DNS, so that the test can give it no name to verify.
    edit: (text, trusted) => {
      const option = trusted.includes('stranger') ? `ca-file ${trusted}` : 'verify none';
      return adaptHaproxyExample(text, url).replace(/^global$/m, `global\n    httpclient.ssl.${option}`);
    },
  },
  {
    program: 'caddy',
    examples: ['examples/caddy/Caddyfile'],
    prepare: (at) => {
      writeFileSync(join(at, 'test.Caddyfile'), `{\n\tadmin off\n}\nimport ${at}/Caddyfile\n`);
      return ['run', '--config', join(at, 'test.Caddyfile'), '--adapter', 'caddyfile'];
    },
    edit: (text, trusted) =>
      adaptCaddyExample(text, url).replace(
        'transport http {',
        () => `transport http {\n\t\t\t\ttls_trusted_ca_certs ${trusted}`,
      ),
  },
];

for (const { program: name, edit, ...files } of cases) {
  const program = debianProgram(name);
  const skip = typeof program === 'string' ? program : false;

  test(`${name} verifies keys over https, and accepts no certificate that it does not trust`, {
    skip,
  }, async (t) => {
    if (typeof program === 'string') return;
    const { port, trusted } = await startTls(t);
    const stranger = join(folder, `${name}-stranger.pem`);
    writeFileSync(stranger, createCertificate().certificate);
    const api = await RecordedServer.start();
    t.after(() => api.stop());
    const { apiKey } = await ada.createKey({ name: `Through ${name}` });
    const recipe: Recipe = { program: name, page: '', openBefore: '', scopesBefore: '', ...files };
    for (const [authority, statuses] of [
      [trusted, { none: 401, valid: 200 }],
      [stranger, { none: 503, valid: 503 }],
    ] as const) {
      const proxy = await ProxyProcess.start(recipe, program, {
        soku: port,
        api: api.port,
        edit: (text) => edit(text, authority),
      });
      t.after(() => proxy.stop());
      assert.equal((await call(`${proxy.url}/orders`)).status, statuses.none, proxy.logs);
      assert.equal((await call(`${proxy.url}/orders`, { headers: bearer(apiKey) })).status, statuses.valid);
    }
    assert.equal(api.received.length, 1);
  });
}
