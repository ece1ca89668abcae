/** Property tests on generated lists whose meaning is known, so that only the code under test parses them. */
import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { clientOf } from '../../../../test/support/proxied-request.ts';
import { runCount } from '../../../../test/support/run-count.ts';
import { addressHeaders, unknownClient } from './client-address.ts';

/** One entry of a list: its text and the address that it means. */
interface Entry {
  node: string;
  address: string | null;
  trusted: boolean;
}

const byte = fc.integer({ min: 0, max: 255 });
const group = fc.integer({ min: 1, max: 0xffff }).map((value) => value.toString(16));
const ports = fc.constantFrom('', ':1', ':443', ':65535', ':_p');

/** @param start the first byte of IPv4, and the first group of IPv6; they decide whether it is trusted */
function entryOf(start: { v4: number; v6: string }, isTrusted: boolean): fc.Arbitrary<Entry> {
  const v4 = fc.tuple(byte, byte, byte).map((rest) => [start.v4, ...rest].join('.'));
  const groups = fc.tuple(group, group, group, group, group, group, group);
  const v6 = groups.map((rest) => [start.v6, ...rest].join(':'));
  const means = (address: string) => (node: string) => ({ node, address, trusted: isTrusted });
  const writtenV4 = fc
    .tuple(v4, ports)
    .chain(([address, port]) =>
      fc
        .constantFrom(address, address + port, `::ffff:${address}`, `[::FFFF:${address}]${port}`)
        .map(means(address)),
    );
  const writtenV6 = fc
    .tuple(v6, ports, fc.constantFrom('', '%eth0', '%25en1'))
    .chain(([address, port, zone]) =>
      fc
        .constantFrom(address, `[${address}]${port}`, `[${address.toUpperCase()}${zone}]${port}`)
        .map(means(address)),
    );
  return fc.oneof(writtenV4, writtenV6);
}

const garbage = fc
  .constantFrom('unknown', '_hidden', 'x', '1.2.3', '1.2.3.4.5', 'example.com:80', '[::1', '127.0.0.1x', '')
  .map((node): Entry => ({ node, address: null, trusted: false }));
const entries = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: entryOf({ v4: 10, v6: 'fd12' }, true) },
    { weight: 3, arbitrary: entryOf({ v4: 203, v6: '2001' }, false) },
    { weight: 1, arbitrary: garbage },
  ),
  { minLength: 1, maxLength: 6 },
);

/** The reference: the client of a list of known entries, without any parsing. */
function clientIn(list: readonly Entry[]): string {
  const last = list.findLast(({ trusted: isTrusted }) => !isTrusted) ?? list[0];
  return last?.address ?? unknownClient;
}

const optionalSpace = fc.constantFrom('', ' ', '\t ');
const quotedText = fc.string({ unit: fc.constantFrom('a', ',', ';', '=', '"', '\\', ' ', 'for=6.6.6.6') });
const quote = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;

function writeXff({ node }: Entry): fc.Arbitrary<string> {
  const writings = fc.constantFrom(node, `"${node}"`);
  return fc.tuple(optionalSpace, writings, optionalSpace).map((parts) => parts.join(''));
}

function writeForwarded({ node }: Entry): fc.Arbitrary<string> {
  const bare = !node.includes(':') || node.startsWith('[') ? [node] : [];
  const pairs = fc.tuple(
    fc
      .tuple(fc.constantFrom('for', 'For', 'FOR'), fc.constantFrom(quote(node), ...bare))
      .map((parts) => parts.join('=')),
    fc.constantFrom('', 'proto=https', 'Proto=http'),
    quotedText.map((text) => `host=${quote(text)}`),
    fc.constantFrom('by=_proxy', 'by="[2001:db8::1]:80"'),
  );
  const shuffled = pairs.chain((all) => fc.shuffledSubarray(all, { minLength: 4 }));
  return fc.tuple(optionalSpace, shuffled, optionalSpace).map(([a, parts, b]) => a + parts.join(';') + b);
}

const write = { 'x-forwarded-for': writeXff, forwarded: writeForwarded };

for (const header of addressHeaders) {
  const written = entries.chain((list) =>
    fc.tuple(fc.constant(list), fc.tuple(...list.map((entry) => write[header](entry)))),
  );

  test(`${header}: a list is parsed according to its entries, in one or several fields`, () => {
    fc.assert(
      fc.property(
        written,
        fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
        ([list, texts], breaks) => {
          const expected = clientIn(list);
          assert.equal(clientOf(header, texts.join(',')), expected);
          const values: string[] = [];
          texts.forEach((text, i) => {
            if (i === 0 || breaks[i] === true) values.push(text);
            else values[values.length - 1] += `,${text}`;
          });
          assert.equal(clientOf(header, ...values), expected);
        },
      ),
      { numRuns: runCount(200, 10_000) },
    );
  });

  test(`${header}: the entry that the proxy appends decides, whatever the client sent`, () => {
    const appended = fc.oneof(entryOf({ v4: 203, v6: '2001' }, false), garbage);
    const appendedText = appended.chain((entry) => fc.tuple(fc.constant(entry), write[header](entry)));
    const odd = fc.string({ unit: fc.constantFrom('"', '\\', ',', ';', '=', ' ', 'for=', '10.0.0.1', 'a') });
    const client = fc.oneof(odd, fc.string({ unit: 'binary-ascii' }));
    fc.assert(
      fc.property(client, appendedText, (claimed, [{ address }, text]) => {
        const expected = address ?? unknownClient;
        assert.equal(clientOf(header, `${claimed},${text}`), expected);
        assert.equal(clientOf(header, claimed, text), expected);
      }),
      { numRuns: runCount(400, 20_000) },
    );
  });

  test(`${header}: any text is parsed as a canonical address or an unknown client`, () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 60 }), (text) => {
        const client = clientOf(header, text);
        assert.ok(client === unknownClient || isIP(client) !== 0);
      }),
      { numRuns: runCount(400, 20_000) },
    );
  });
}
