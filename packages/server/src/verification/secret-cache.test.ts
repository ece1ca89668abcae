import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Cached, SecretCache } from './secret-cache.ts';

interface Numbered extends Cached {
  n: number;
}

/** What a cache holds under a key, by its number. */
function numberAt(cache: SecretCache<Numbered>, key: string): number | undefined {
  return cache.get(key)?.n;
}

function setNumber(cache: SecretCache<Numbered>, key: string, n: number): void {
  cache.set(key, { n, used: false });
}

test('an entry that is used survives any number of others that are not', () => {
  const cache = new SecretCache<Numbered>(10);
  setNumber(cache, 'good', 1);
  for (let i = 0; i < 1000; i++) {
    assert.equal(numberAt(cache, 'good'), 1);
    setNumber(cache, `other ${i}`, i);
  }
});

test('the oldest unused entry goes first', () => {
  const cache = new SecretCache<Numbered>(2);
  setNumber(cache, 'a', 1);
  setNumber(cache, 'b', 2);
  numberAt(cache, 'a');
  setNumber(cache, 'c', 3);
  assert.deepEqual([numberAt(cache, 'a'), numberAt(cache, 'b'), numberAt(cache, 'c')], [1, undefined, 3]);
});

/** Keys to the last value that was set, as the cache may or may not still hold them. */
type Truth = Map<string, number>;

const operations = {
  get(cache: SecretCache<Numbered>, truth: Truth, key: string) {
    const got = numberAt(cache, key);
    assert.ok(got === undefined || got === truth.get(key));
  },
  set(cache: SecretCache<Numbered>, truth: Truth, key: string, value: number) {
    setNumber(cache, key, value);
    truth.set(key, value);
    assert.equal(numberAt(cache, key), value, 'what was just set is there');
  },
  delete(cache: SecretCache<Numbered>, truth: Truth, key: string) {
    cache.delete(key);
    truth.delete(key);
    assert.equal(numberAt(cache, key), undefined);
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
      const cache = new SecretCache<Numbered>(bound);
      const truth: Truth = new Map();
      for (const { kind, key, value } of steps) {
        operations[kind](cache, truth, key, value);
        assert.ok(cache.size <= bound);
      }
    }),
  );
});

test('a full cache whose entries are all in use lets one of them go, and stays full', () => {
  const cache = new SecretCache<Numbered>(500);
  for (let i = 0; i < 500; i++) setNumber(cache, `used ${i}`, i);
  for (let i = 0; i < 500; i++) numberAt(cache, `used ${i}`);
  setNumber(cache, 'new', 1);
  assert.equal(cache.size, 500);
  assert.equal(numberAt(cache, 'new'), 1);
  const left = Array.from({ length: 500 }, (_, i) => numberAt(cache, `used ${i}`)).filter(
    (n) => n !== undefined,
  );
  assert.equal(left.length, 499);
});
