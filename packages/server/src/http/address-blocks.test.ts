import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRange } from '@soku/contract/address-lists';
import fc from 'fast-check';
import {
  arbitraryAddress,
  arbitraryRange,
  isInBlock,
  referenceAddress,
  referenceBlock,
} from '../../../../test/support/arbitrary-addresses.ts';
import { runCount } from '../../../../test/support/run-count.ts';
import { AddressBlocks } from './address-blocks.ts';

const blocksOf = (texts: readonly string[]) =>
  new AddressBlocks(texts.flatMap((text) => parseRange(text).block ?? []));

test('an address is in a list if it is in one of its blocks', () => {
  /** Addresses at the edges of the blocks, and others. */
  const cases = fc.array(arbitraryRange, { maxLength: 6 }).chain((texts) => {
    const edges = texts.map((text) => text.split('/')[0] ?? '');
    return fc.tuple(
      fc.constant(texts),
      edges.length === 0 ? arbitraryAddress : fc.oneof(arbitraryAddress, fc.constantFrom(...edges)),
    );
  });
  let found = 0;
  fc.assert(
    fc.property(cases, ([texts, address]) => {
      const expected = texts.some((text) => {
        const block = referenceBlock(text);
        return block !== undefined && isInBlock(referenceAddress(address), block);
      });
      assert.equal(blocksOf(texts).has(address), expected, `${address} in ${texts.join(' ')}`);
      if (expected) found += 1;
    }),
    { numRuns: runCount(3000, 1_000_000) },
  );
  assert.ok(found > 500, 'many of the addresses are in a block');
});

test('a text that is not an address is in no list, and IPv6 blocks have no IPv4 addresses', () => {
  const all = blocksOf(['0.0.0.0/0', '::/0']);
  for (const text of ['', 'unknown', '1.2.3', '::g', '192.0.2.1:80', '192.0.2.1/32', 'fe80::1%eth0']) {
    assert.equal(all.has(text), false, text);
  }
  assert.equal(blocksOf(['::/0']).has('192.0.2.1'), false);
  assert.equal(blocksOf(['::/0']).has('::ffff:192.0.2.1'), false);
  assert.equal(blocksOf(['0.0.0.0/0']).has('::ffff:192.0.2.1'), true);
  assert.equal(blocksOf(['0.0.0.0/0']).has('::'), false);
});
