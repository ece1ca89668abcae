import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mergeSorted } from './merge.ts';

test('sorted lists are merged into one sorted list', () => {
  const compare = (a: number, b: number) => a - b;
  fc.assert(
    fc.property(fc.array(fc.array(fc.nat(50))), (lists) => {
      const merged = mergeSorted(
        lists.map((list) => list.toSorted(compare)),
        compare,
      );
      assert.deepEqual([...merged], lists.flat().toSorted(compare));
    }),
  );
});
