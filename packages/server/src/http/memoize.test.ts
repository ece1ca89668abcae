import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoize } from './memoize.ts';

test('each text has its own result, which is computed once while it is cached', () => {
  let computed = 0;
  const length = memoize((text) => {
    computed += 1;
    return `${text.length}:${text}`;
  });
  const expectOf = (text: string) => assert.equal(length(text), `${text.length}:${text}`);
  const recurring = ['', 'host', 'Host', 'host'];
  for (let round = 0; round < 3; round++) for (const text of recurring) expectOf(text);
  assert.equal(computed, 3);
  const long = 'x'.repeat(1000);
  for (const text of [long, 'host', long]) expectOf(text);
  assert.equal(computed, 5, 'long texts are not cached');
  for (let i = 0; i < 2500; i++) expectOf(`name-${i}`);
  assert.equal(computed, 2505);
  for (const text of ['name-2499', 'name-1', 'name-1', 'name-2499']) expectOf(text);
  assert.equal(computed, 2506, 'the oldest texts were evicted');
});
