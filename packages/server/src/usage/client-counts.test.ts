/** Clients: at most 20 addresses and 20 programs are named, and the rest is counted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addClients,
  addCount,
  type ClientCounts,
  copyClients,
  emptyClientCounts,
  formatClients,
  limitClients,
  parseClients,
  programOf,
  sortCounts,
} from './client-counts.ts';
import { ClientDays } from './client-days.ts';
import { addUses, ClientSamples, sampleInterval } from './client-samples.ts';
import type { SecretCounts } from './pending-uses.ts';

const maxClients = 20;

const sumOf = ({ counts, other }: ClientCounts['addresses']) =>
  [...counts.values()].reduce((sum, requests) => sum + requests, other);

const name = fc.integer({ min: 0, max: 60 }).map((number) => `198.51.100.${number}`);

/** Adds batches of uses as nodes do, through the text that is stored. */
function addBatches(batches: readonly (readonly [string, string, number])[][]): ClientCounts {
  let sum = emptyClientCounts();
  for (const batch of batches) {
    const clients = emptyClientCounts();
    for (const [address, program, requests] of batch) {
      addCount(clients.addresses, address, requests);
      addCount(clients.programs, program, requests);
    }
    addClients(sum, clients);
    limitClients(sum, maxClients);
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

test('exactly the busiest are named, and the total does not change', () => {
  const requests = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 80 });
  fc.assert(
    fc.property(requests, fc.integer({ min: 1, max: 30 }), (numbers, most) => {
      const all = emptyClientCounts();
      for (const [i, number] of numbers.entries()) addCount(all.addresses, `203.0.113.${i}`, number);
      const limited = copyClients(all);
      limitClients(limited, most);
      assert.deepEqual(sortCounts(limited.addresses), sortCounts(all.addresses).slice(0, most));
      assert.equal(sumOf(limited.addresses), sumOf(all.addresses));
    }),
  );
});

test('the busiest of one batch are named, and equal ones in the order of their names', () => {
  const [sum, batch] = [emptyClientCounts(), emptyClientCounts()];
  for (let i = 30; i > 0; i--) addCount(batch.addresses, `10.0.0.${100 + i}`, i <= 5 ? 7 : 3);
  addClients(sum, batch);
  limitClients(sum, maxClients);
  const names = Array.from({ length: 20 }, (_, i) => `10.0.0.${101 + i}`);
  assert.deepEqual([...sum.addresses.counts.keys()].sort(), names);
  assert.equal(sum.addresses.other, 30);
});

/** Requests in runs of one address each. */
const runs = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 40 })), { minLength: 1 })
  .map((all) => all.flatMap(([number, length]) => Array<string>(length).fill(`198.51.100.${number}`)));

/** A row that counts requests as verification does. */
class Row {
  readonly samples: ClientSamples;
  readonly sum = emptyClientCounts();
  #accepted = 0;
  #last = '';

  constructor(seed: number) {
    this.samples = new ClientSamples(10, { seed });
  }

  use(address: string): void {
    if (address !== this.#last && this.samples.isBehind(7, this.#accepted))
      this.samples.change(7, this.#accepted, this.#last, 'curl/8');
    this.#accepted += 1;
    this.#last = address;
  }

  #counts(): SecretCounts {
    const last = { accepted: this.#accepted, address: this.#last, agent: 'curl/8', lastMs: 0 };
    const nothing = { refused: 0, refusedBy: {}, changesLastUse: false };
    return { keyId: 'key', workspaceId: 'ws', hash: '', hour: 0, ...last, ...nothing };
  }

  /** The clients, without moving them. */
  read(): ClientCounts {
    const sum = copyClients(this.sum);
    addUses(sum, this.#counts(), this.samples.of(7, this.#accepted));
    return sum;
  }

  flush(): void {
    addUses(this.sum, this.#counts(), this.samples.take(7, this.#accepted));
    this.#accepted = 0;
  }
}

test('however often the client changes, and counts leave the row, each request is counted once', () => {
  fc.assert(
    fc.property(runs, fc.integer({ min: 1, max: 100 }), fc.nat(), (requests, perFlush, seed) => {
      const row = new Row(seed);
      for (const [i, address] of requests.entries()) {
        if (i % perFlush === perFlush - 1) row.flush();
        row.use(address);
      }
      const read = row.read();
      row.flush();
      assert.deepEqual(row.sum, read);
      assert.deepEqual([sumOf(read.addresses), sumOf(read.programs)], [requests.length, requests.length]);
      const sent = new Set(requests);
      assert.ok([...read.addresses.counts].every(([name, count]) => count > 0 && sent.has(name)));
      assert.equal(row.samples.texts, 0);
    }),
  );
});

for (const [rhythm, perFlush] of [
  [2, 1000],
  [4, 1000],
  [16, 1000],
  [16, 50],
] as const) {
  test(`clients that take turns, ${rhythm} requests long, have their share, with ${perFlush} per flush`, () => {
    const row = new Row(1);
    for (let i = 0; i < 32_000; i++) {
      row.use(i % rhythm < rhythm / 2 ? '198.51.100.1' : '198.51.100.2');
      if (i % perFlush === perFlush - 1) row.flush();
    }
    const share = (row.sum.addresses.counts.get('198.51.100.1') ?? 0) / 32_000;
    assert.ok(share > 0.44 && share < 0.56, `${share} instead of 0.5`);
  });
}

test('memory stays bounded for any number of distinct addresses', () => {
  const samples = new ClientSamples(50, { seed: 1, most: 100 });
  for (let i = 1; i <= 10_000; i++)
    samples.change(i % 50, i * sampleInterval, `2001:db8::${i.toString(16)}`, `agent/${i}`);
  assert.equal(samples.texts, 100);
  const clients = samples.of(49, 10_000 * sampleInterval)?.clients ?? emptyClientCounts();
  assert.equal(sumOf(clients.addresses), 9999 * sampleInterval);
});

test('memory stays bounded while clients cannot be written, and the first ones are kept', () => {
  const days = new ClientDays(1000);
  const counts = { workspaceId: 'ws', hash: '', hour: 0, accepted: 1, refused: 0, refusedBy: {} };
  for (let i = 0; i < 10_000; i++)
    days.add(
      {
        ...counts,
        keyId: `key_${i}`,
        address: `10.0.0.${i % 200}`,
        agent: 'a',
        lastMs: 0,
        changesLastUse: false,
      },
      undefined,
    );
  assert.ok(days.isFilling);
  assert.ok(days.entries > 50 && days.entries < 200, String(days.entries));
  assert.deepEqual([...days.of('key_3', 0, 1).addresses.counts], [['10.0.0.3', 1]]);
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

test('a stored text that cannot be parsed counts as no clients', () => {
  const addresses = [
    '3',
    '[["a"]]',
    '[["a",1,2]]',
    '[[1,1]]',
    '[["a","1"]]',
    '[["a",1.5]]',
    '[["a",1],null]',
    '[]',
  ];
  const texts = addresses.map(
    (list) => `{"addresses":${list},"otherAddresses":1,"programs":[],"otherPrograms":1}`,
  );
  const valid = texts.pop() ?? '';
  for (const text of ['', '{', ...texts]) assert.deepEqual(parseClients(text), emptyClientCounts());
  assert.equal(parseClients(valid).addresses.other, 1);
});
