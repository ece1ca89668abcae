import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ProxyFixture } from './fixture.ts';
import { describeProxy } from './suite.ts';

/** The configuration around the example: on a system, /etc/nginx/nginx.conf; here all files are in one folder. */
function mainFile(folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'];
  return `
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    daemon off;
    pid ${folder}/nginx.pid;
    error_log stderr;
    events {}
    http {
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
      include ${folder}/soku.conf;
    }
  `;
}

const recipe = {
  program: 'nginx',
  page: 'docs/protect-with-nginx.md',
  examples: ['examples/nginx/soku.conf'],
  openBefore: '    # The verification request: ',
  scopesBefore: '        proxy_pass_request_body off;',
  prepare: (folder: string) => {
    writeFileSync(join(folder, 'nginx.conf'), mainFile(folder));
    return ['-e', 'stderr', '-c', join(folder, 'nginx.conf')];
  },
};

describeProxy(recipe, (fixture: () => ProxyFixture) => {
  test('the internal verification location is not reachable from outside', async () => {
    const { ada, api } = fixture();
    const { apiKey } = await ada.createKey({ name: 'curious' });
    const before = api.received.length;
    assert.equal((await fixture().send({ key: apiKey, path: '/_soku/verify' })).status, 404);
    assert.equal(api.received.length, before);
  });
});
