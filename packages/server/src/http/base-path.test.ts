import assert from 'node:assert/strict';
import { test } from 'node:test';
import { removeBasePath } from './base-path.ts';

for (const [target, rest] of [
  ['/soku', '/'],
  ['/soku/', '/'],
  ['/soku?range=7d', '/?range=7d'],
  ['/soku/v1/verify?scope=a', '/v1/verify?scope=a'],
  ['/soku/soku', '/soku'],
  ['http://example.com/soku/v1/me', '/v1/me'],
  ['HTTPS://example.com:8443/soku?x', '/?x'],
  ['/soku//example.com', '//example.com'],
  ['/soku/../v1/me', '/../v1/me'],
  ['/healthz', '/healthz'],
  ['/readyz?verbose', '/readyz?verbose'],
  ['/metrics', '/metrics'],
  ['/soku/healthz', '/healthz'],
  ['/', undefined],
  ['/v1/verify', undefined],
  ['/sokus/v1/verify', undefined],
  ['/soku.json', undefined],
  ['/Soku/v1/me', undefined],
  ['/%73oku/v1/me', undefined],
  ['//soku/v1/me', undefined],
  ['http://soku/v1/me', undefined],
  ['/healthz/soku', undefined],
  ['*', undefined],
  ['', undefined],
] as const) {
  test(`${target || 'nothing'} is ${rest ?? 'outside'}`, () =>
    assert.equal(removeBasePath(target, '/soku'), rest));
}

test('a base path may have several parts', () => {
  assert.equal(removeBasePath('/tools/soku/docs', '/tools/soku'), '/docs');
  assert.equal(removeBasePath('/tools/docs', '/tools/soku'), undefined);
});
