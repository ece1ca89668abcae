import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hostTeeth } from './host-teeth.ts';

test('a host has the same teeth every time, of four lengths, and no two neighbors are alike', () => {
  fc.assert(
    fc.property(fc.domain(), (host) => {
      const teeth = hostTeeth(host, 16);
      assert.deepEqual(teeth, hostTeeth(host, 16));
      assert.equal(teeth.length, 16);
      for (const [index, length] of teeth.entries()) {
        assert.ok([0, 1, 2, 3].includes(length), String(length));
        assert.notEqual(length, teeth[index - 1]);
      }
    }),
  );
});

test('similar hosts have different teeth', () => {
  const hosts = Array.from({ length: 50 }, (_, number) => `keys-${number}.example.com`);
  const drawings = new Set(hosts.map((host) => hostTeeth(host, 8).join('')));
  assert.ok(drawings.size > 45, `${drawings.size} different drawings of ${hosts.length} hosts`);
});
