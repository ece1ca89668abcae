/** Parsing, canonical forms and inclusion of generated blocks, compared with ipaddr.js and node:net. */
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  arbitraryAddress,
  arbitraryRange,
  firstOf,
  isInBlock,
  referenceAddress,
  referenceBlock,
  referenceText,
} from '../../../test/support/arbitrary-addresses.ts';
import { runCount } from '../../../test/support/run-count.ts';
import { parseBlock, parseRange } from './address-lists.ts';
import { blockIncludes, formatAddress, formatBlock, parseIpAddress } from './addresses.ts';

const words = new Int32Array(4);
const canonical = (text: string) => (parseIpAddress(text, words) ? formatAddress(words) : null);

test('an address in any spelling has one canonical form', () => {
  fc.assert(
    fc.property(arbitraryAddress, (text) => {
      const expected = referenceAddress(text).toString();
      assert.equal(canonical(text), expected, text);
      assert.equal(canonical(expected), expected);
    }),
    { numRuns: runCount(3000, 1_000_000) },
  );
});

test('exactly the texts that node:net accepts are addresses', () => {
  const piece = fc.constantFrom(
    '::',
    ':',
    '.',
    '0',
    '1',
    'ffff',
    'FF',
    '12345',
    '255',
    '256',
    '01',
    'g',
    ' ',
    '/',
    '-',
    '１',
  );
  const mutated = fc
    .tuple(arbitraryAddress, fc.nat(45), fc.nat(3), fc.oneof(piece, fc.constant('')))
    .map(([text, at, removed, added]) => text.slice(0, at) + added + text.slice(at + removed));
  const assembled = fc.array(piece, { maxLength: 16 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(fc.oneof(mutated, assembled, fc.string({ unit: 'binary', maxLength: 50 })), (text) => {
      fc.pre(!text.includes('%'));
      assert.equal(canonical(text) !== null, isIP(text) !== 0, JSON.stringify(text));
    }),
    { numRuns: runCount(5000, 2_000_000) },
  );
});

test('a block is accepted without bits after its prefix length; otherwise the block that was meant is named', () => {
  fc.assert(
    fc.property(arbitraryRange, (text) => {
      const expected = referenceBlock(text);
      const { block, problem, meant } = parseBlock(text);
      if (expected === undefined) {
        assert.match(problem ?? '', /from 96 to 128/);
        return;
      }
      const canonicalText = referenceText(expected);
      if (firstOf(expected).toString() === expected[0].toString()) {
        assert.equal(block && formatBlock(block), canonicalText, text);
      } else {
        assert.equal(meant, canonicalText, text);
        assert.ok(problem?.includes(canonicalText));
      }
      assert.equal(formatBlock(parseBlock(canonicalText).block ?? assert.fail()), canonicalText);
    }),
    { numRuns: runCount(3000, 1_000_000) },
  );
});

test('a block includes another one if it is not longer and contains its address', () => {
  const shorter = fc.tuple(arbitraryRange, fc.nat(128)).map(([text, length]) => {
    const [address = '', own] = text.split('/');
    const longest = address.includes(':') ? 128 : 32;
    return [text, `${address}/${Math.min(length, Number(own ?? longest))}`] as const;
  });
  let included = 0;
  fc.assert(
    fc.property(fc.oneof(shorter, fc.tuple(arbitraryRange, arbitraryRange)), ([inner, outer]) => {
      const [expectedInner, expectedOuter] = [referenceBlock(inner), referenceBlock(outer)];
      if (expectedInner === undefined || expectedOuter === undefined) return;
      const isIncluded = expectedOuter[1] <= expectedInner[1] && isInBlock(expectedInner[0], expectedOuter);
      const [a, b] = [parseRange(outer).block, parseRange(inner).block];
      assert.ok(a !== undefined && b !== undefined);
      assert.equal(blockIncludes(a, b), isIncluded, `${outer} and ${inner}`);
      if (isIncluded) included += 1;
    }),
    { numRuns: runCount(3000, 1_000_000) },
  );
  assert.ok(included > 500, 'the generated blocks often include each other');
});
