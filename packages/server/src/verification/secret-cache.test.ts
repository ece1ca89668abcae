import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SecretCache } from './secret-cache.ts';

test('an entry that is used survives any number of others that are not', () => {
  const cache = new SecretCache<number>(10);
  cache.set('good', 1);
  for (let i = 0; i < 1000; i++) {
    assert.equal(cache.get('good'), 1);
    cache.set(`other ${i}`, i);
  }
});

test('the oldest unused entry goes first', () => {
  const cache = new SecretCache<number>(2);
  cache.set('a', 1);
  cache.set('b', 2);
  cache.get('a');
  cache.set('c', 3);
  assert.deepEqual([cache.get('a'), cache.get('b'), cache.get('c')], [1, undefined, 3]);
});

/** Keys to the last value that was set, as the cache may or may not still hold them. */
type Truth = Map<string, number>;

const operations = {
  get(cache: SecretCache<number>, truth: Truth, key: string) {
    const got = cache.get(key);
    assert.ok(got === undefined || got === truth.get(key));
  },
  set(cache: SecretCache<number>, truth: Truth, key: string, value: number) {
    cache.set(key, value);
    truth.set(key, value);
    assert.equal(cache.get(key), value, 'what was just set is there');
  },
  delete(cache: SecretCache<number>, truth: Truth, key: string) {
    cache.delete(key);
    truth.delete(key);
    assert.equal(cache.get(key), undefined);
  },
};

test('it never holds more than its bound, and never a value other than the last one set', () => {
  const operation = fc.record({
    kind: fc.constantFrom('get', 'set', 'delete'),
    key: fc.integer({ min: 0, max: 12 }).map(String),
    value: fc.integer(),
  });
  const run = fc.array(operation, { maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), run, (bound, steps) => {
      const cache = new SecretCache<number>(bound);
      const truth: Truth = new Map();
      for (const { kind, key, value } of steps) {
        operations[kind](cache, truth, key, value);
        assert.ok(cache.size <= bound);
      }
    }),
  );
});
