/** A real nginx with TLS and a documented configuration, in front of a real server. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { ProxyProcess, type Recipe } from '../proxies/proxy.ts';
import { debianProgram } from '../support/debian.ts';
import { createCertificate } from '../support/postgres-certificate.ts';
import { freePort, startServer } from '../support/server.ts';

const nginx = debianProgram('nginx');

/** The port without TLS on which the start of the proxy is noticed, for an example that has none. */
const awaited = 'listen 127.0.0.1:8080; ';

/** Why nginx cannot run here; false if it can. */
export const skipWithoutNginx = typeof nginx === 'string' ? nginx : false;

interface Options {
  /** The configuration, a file in the repository. */
  example: string;
  /** The host in the example, which becomes localhost. */
  host: string;
  /** The path of the public URL. */
  path?: string;
  env?: Record<string, string | undefined>;
  /** Port of the other application of the site. */
  site?: number;
}

/** @returns the public URL, the address of port 80, the server, and the certificate */
export async function startTlsProxy(t: TestContext, { example, host, path = '', env, site = 0 }: Options) {
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
  const url = `https://localhost:${port}${path}`;
  const server = await startServer({ env: { SOKU_PUBLIC_URL: url, TRUST_PROXY: '127.0.0.1', ...env } });
  t.after(() => server.stop());
  const edit = (config: string) =>
    config
      .replaceAll(host, 'localhost')
      .replaceAll('/etc/letsencrypt/live/localhost', folder)
      .replace('root /var/www/acme;', `root ${folder}/acme;`)
      .replace('listen 80;', 'listen 127.0.0.1:8080;')
      .replace('listen 443 ', `${config.includes('listen 80;') ? '' : awaited}listen 127.0.0.1:${port} `);
  const soku = Number(new URL(server.url).port);
  const proxy = await ProxyProcess.start(recipeFor(example), nginx, { soku, api: site, edit });
  t.after(() => proxy.stop());
  return { url, plain: proxy.url, server, certificate };
}

function recipeFor(example: string): Recipe {
  return {
    program: 'nginx',
    page: 'docs/operations/deploy.md',
    examples: [example],
    openBefore: '',
    scopesBefore: '',
    prepare: (folder) => {
      const user = process.getuid?.() === 0 ? 'user root;' : '';
      const paths = ['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'].map(
        (name) => `${name}_temp_path ${folder}/${name};`,
      );
      const main = `${user} daemon off; pid ${folder}/pid; error_log stderr; events {}
      http { access_log off; ${paths.join(' ')} include ${folder}/${basename(example)}; }`;
      writeFileSync(join(folder, 'main.conf'), main);
      return ['-e', 'stderr', '-c', join(folder, 'main.conf')];
    },
  };
}
