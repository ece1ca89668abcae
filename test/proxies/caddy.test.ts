import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertProblem } from '../support/contract.ts';
import type { Recipe } from './proxy.ts';
import { describeProxy } from './suite.ts';

const recipe: Recipe = {
  program: 'caddy',
  page: 'docs/protect-with-caddy.md',
  examples: ['examples/caddy/Caddyfile'],
  openBefore: '\t\t# A client must not',
  scopesBefore: '\t\t# Soku. This is',
  prepare: (folder) => {
    // The admin endpoint would listen on a fixed port.
    const file = join(folder, 'test.Caddyfile');
    writeFileSync(file, `{\n\tadmin off\n}\nimport ${folder}/Caddyfile\n`);
    return ['run', '--config', file, '--adapter', 'caddyfile'];
  },
};

/** The short form that the page mentions. */
const forwardAuth = (uri: string) => `:8080 {
	route {
		request_header -*soku*
		forward_auth 127.0.0.1:3000 {
			uri ${uri}
			copy_headers X-Soku-Key-Id
		}
		reverse_proxy 127.0.0.1:4000
	}
}
`;

describeProxy(recipe, (fixture, program) => {
  test('with forward_auth, a question mark in the uri keeps the query of the client away from Soku', async (t) => {
    const { ada } = fixture();
    const { apiKey } = await ada.createKey({ name: 'short form', scopes: ['keys:read'] });
    const { apiKey: other } = await ada.createKey({ name: 'without scopes' });
    const send = async (uri: string, key: string) => {
      const proxy = await fixture().startSecondProxy(recipe, program, () => forwardAuth(uri));
      t.after(() => proxy.stop());
      return proxy.send({ key, path: '/orders?scope=orders:read&page=2' });
    };
    assert.equal((await send('/v1/verify?', other)).status, 200);
    assert.equal((await send('/v1/verify?scope=keys:read', apiKey)).status, 200);
    const lacking = assertProblem(await send('/v1/verify?scope=keys:read', other), 'insufficient_scope');
    assert.match(lacking.message, /keys:read/);
    // The client could only make its own request fail.
    const colliding = assertProblem(await send('/v1/verify', apiKey), 'insufficient_scope');
    assert.match(colliding.message, /orders:read/);
  });
});
