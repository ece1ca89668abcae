/** Clients: at most 20 addresses and 20 programs are named, and the rest is counted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addClients,
  addCount,
  type ClientCounts,
  formatClients,
  maxClients,
  noClients,
  parseClients,
  programOf,
  sortCounts,
} from './client-counts.ts';
import { ClientSamples, sampling } from './client-samples.ts';

const sumOf = ({ counts, other }: ClientCounts['addresses']) =>
  [...counts.values()].reduce((sum, requests) => sum + requests, other);

const name = fc.integer({ min: 0, max: 60 }).map((number) => `198.51.100.${number}`);

/** Adds batches of uses as nodes do, through the text that is stored. */
function addBatches(batches: readonly (readonly [string, string, number])[][]): ClientCounts {
  let sum = noClients();
  for (const batch of batches) {
    const clients = noClients();
    for (const [address, program, requests] of batch) {
      addCount(clients.addresses, address, requests);
      addCount(clients.programs, program, requests);
    }
    addClients(sum, clients);
    sum = parseClients(formatClients(sum));
  }
  return sum;
}

test('however clients are added, at most 20 are named and no request is lost', () => {
  const uses = fc.array(fc.tuple(name, name, fc.integer({ min: 1, max: 1e9 })), { maxLength: 80 });
  fc.assert(
    fc.property(fc.array(uses, { maxLength: 8 }), (batches) => {
      const { addresses, programs } = addBatches(batches);
      const all = new Map<string, number>();
      for (const [address, , requests] of batches.flat())
        all.set(address, (all.get(address) ?? 0) + requests);
      const total = [...all.values()].reduce((sum, requests) => sum + requests, 0);
      assert.deepEqual([sumOf(addresses), sumOf(programs)], [total, total]);
      assert.ok(Math.max(addresses.counts.size, programs.counts.size) <= maxClients);
      // No address has more than its own requests, and few addresses are counted exactly.
      assert.ok([...addresses.counts].every(([address, requests]) => requests <= (all.get(address) ?? 0)));
      if (all.size <= maxClients)
        assert.deepEqual(addresses, { counts: new Map(sortCounts({ counts: all, other: 0 })), other: 0 });
    }),
  );
});

test('the busiest of one batch are named, and equal ones in the order of their names', () => {
  const [sum, batch] = [noClients(), noClients()];
  for (let i = 30; i > 0; i--) addCount(batch.addresses, `10.0.0.${100 + i}`, i <= 5 ? 7 : 3);
  addClients(sum, batch);
  const names = Array.from({ length: 20 }, (_, i) => `10.0.0.${101 + i}`);
  assert.deepEqual([...sum.addresses.counts.keys()].sort(), names);
  assert.equal(sum.addresses.other, 30);
});

/** Requests in runs of one address each. */
const runs = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 40 })), { minLength: 1 })
  .map((all) => all.flatMap(([number, length]) => Array<string>(length).fill(`198.51.100.${number}`)));

function everySixteenth(requests: readonly string[]): Map<string, number> {
  const top = { counts: new Map<string, number>(), other: 0 };
  for (const [i, address] of requests.entries())
    if ((i + 1) % sampling === 0) addCount(top, address, sampling);
  addCount(top, requests.at(-1) ?? '', requests.length % sampling);
  return new Map(sortCounts(top));
}

test('every 16th request stands for 16, however often the client changes, and the last client for the rest', () => {
  fc.assert(
    fc.property(runs, (requests) => {
      const samples = new ClientSamples(10);
      for (const [i, address] of requests.entries()) {
        const before = requests[i - 1] ?? '';
        if (address !== before && samples.isBehind(7, i)) samples.change(7, i, before, 'curl/8');
      }
      const last = requests.at(-1) ?? '';
      const onlyLast = {
        ...noClients(),
        addresses: { counts: new Map([[last, requests.length]]), other: 0 },
      };
      const { addresses } = samples.of(7, requests.length, last, 'curl/8') ?? onlyLast;
      assert.deepEqual(new Map(sortCounts(addresses)), everySixteenth(requests));
      samples.drop(7);
      assert.equal(samples.texts, 0);
    }),
  );
});

test('distinct addresses without end do not take more memory', () => {
  const samples = new ClientSamples(50, 100);
  for (let i = 1; i <= 10_000; i++)
    samples.change(i % 50, i * sampling, `2001:db8::${i.toString(16)}`, `agent/${i}`);
  assert.equal(samples.texts, 100);
  const clients = samples.of(49, 10_000 * sampling, '', '');
  assert.equal(sumOf(clients?.addresses ?? noClients().addresses), 10_000 * sampling);
});

for (const [agent, program] of [
  ['curl/8.5.0', 'curl/8.5.0'],
  ['Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101', 'Mozilla/5.0'],
  ['', ''],
  [' padded/1 x', 'padded/1'],
  [`long/${'9.'.repeat(99)}`, `long/${'9.'.repeat(29)}9`],
  [`sent-${'k'.repeat(60)}`, 'sent-[redacted]'],
] as const) {
  test(`the program of "${agent.slice(0, 30)}" is "${program.slice(0, 30)}"`, () => {
    assert.equal(programOf(agent), program);
  });
}

test('a text that someone changed counts as no clients', () => {
  for (const text of ['', '{', '{"addresses":3}']) assert.deepEqual(parseClients(text), noClients());
});
