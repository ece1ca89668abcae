/** Compares the table with a simple model: no wrong row, never over capacity, no use lost. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { times } from '../../../../test/support/long.ts';
import { KeyLimits } from '../limits/key-limits.ts';
import { PendingUses, type SecretCounts } from '../usage/pending-uses.ts';
import { KeyTable, noRow } from './key-table.ts';
import type { EndedSecret, VerifiedKey } from './stored-secret.ts';

const never = Number.POSITIVE_INFINITY;

const hashOf = (secret: string) => hash('sha256', secret, 'binary');

function keyOf(secret: string, more: Partial<VerifiedKey> = {}): VerifiedKey {
  return {
    keyId: `key_${secret}`,
    workspaceId: 'ws_1',
    name: secret,
    scopes: [],
    retiresAt: never,
    expiresAt: never,
    rateLimit: null,
    ...more,
  };
}

/** The ID of the key in the row that is found. */
function idAt(table: KeyTable, secret: string): string | undefined {
  const row = table.find(hashOf(secret));
  return row === noRow ? undefined : table.keyId(row);
}

const put = (table: KeyTable, secret: string) => table.add(hashOf(secret), keyOf(secret));

test('a row returns the key that was added', () => {
  const table = new KeyTable(3, new PendingUses(), new KeyLimits());
  const name = 'Ünïcode “name” that is longer than a row’s text\u0000\ud800';
  const full = keyOf('full', {
    name,
    scopes: ['keys:read', 'of:tomorrow'],
    retiresAt: 5,
    expiresAt: 4,
    rateLimit: 1_000_000_000,
  });
  const row = table.add(hashOf('full'), full);
  assert.deepEqual(table.read(row), { ...full, name: name.toWellFormed() });
  assert.equal(table.hash(row), hashOf('full'));
  assert.deepEqual([table.mayHaveEnded(row, 3), table.mayHaveEnded(row, 4)], [false, true]);
  const plain = keyOf('plain');
  assert.deepEqual(table.read(table.add(hashOf('plain'), plain)), plain);
  const ended = { standing: 'retired', keyId: 'key_1', workspaceId: 'ws_1', since: 7 } as const;
  assert.deepEqual(table.readEnded(table.addRejected(hashOf('ended'), ended)), ended);
  const unknown = table.addRejected(hashOf('unknown'), undefined);
  assert.equal(table.readEnded(unknown), undefined);
  assert.equal(table.size, 3);
});

test('a used row survives any number of unused ones', () => {
  const table = new KeyTable(10, new PendingUses(), new KeyLimits());
  put(table, 'good');
  for (let i = 0; i < 1000; i++) {
    assert.equal(idAt(table, 'good'), 'key_good');
    put(table, `other ${i}`);
  }
});

test('a full table with all rows in use evicts one and stays full', () => {
  const table = new KeyTable(500, new PendingUses(), new KeyLimits());
  const secrets = Array.from({ length: 500 }, (_, i) => `used ${i}`);
  for (const secret of secrets) put(table, secret);
  for (const secret of secrets) idAt(table, secret);
  put(table, 'new');
  assert.equal(table.size, 500);
  assert.equal(idAt(table, 'new'), 'key_new');
  assert.equal(secrets.filter((secret) => idAt(table, secret) !== undefined).length, 499);
});

test('a client that was only rejected is still new for the next accepted use', () => {
  const held = new PendingUses();
  const table = new KeyTable(1, held, new KeyLimits());
  const row = put(table, 'one');
  table.usage.accept(row, 1, '192.0.2.1', 'agent');
  table.usage.hold(row);
  drain(held);
  table.usage.accept(row, 2, '192.0.2.2', 'agent');
  table.usage.hold(row);
  drain(held);
  table.usage.accept(row, 3, '192.0.2.2', 'agent');
  assert.equal(table.usage.of(row)?.changesLastUse, false);
  table.usage.hold(row);
  drain(held);
  const other = table.find(hashOf('one'));
  table.usage.refuse(other, hour, 'rate_limited');
  table.usage.hold(other);
  drain(held);
  table.usage.accept(other, hour + 1, '192.0.2.2', 'agent');
  assert.equal(table.usage.of(other)?.changesLastUse, true, 'nothing of this hour told of it');
});

test('a table keeps no more strings than its rows use', () => {
  const held = new PendingUses();
  const table = new KeyTable(2, held, new KeyLimits());
  for (let i = 0; i < 1000; i++) {
    const key = keyOf(`${i}`, {
      workspaceId: `ws_${i}`,
      scopes: [`scope:${i}`],
      name: i < 990 ? 'long '.repeat(9) : '',
    });
    table.usage.accept(table.add(hashOf(`${i}`), key), i, `192.0.2.${i}`, `agent ${i}`);
    if (i % 100 === 0) table.clear();
  }
  assert.equal(table.size, 2);
  assert.equal(table.texts, 8, 'workspace, scopes, address and agent of each');
  assert.equal(held.size + table.usage.pending, 1000);
});

/** Writes all uses. */
function drain(held: PendingUses): SecretCounts[] {
  held.close();
  const all = [...held.closed()].flat();
  held.remove(all);
  return all;
}

const hour = 3_600_000;
const kinds = [
  'find',
  'add',
  'add',
  'reject',
  'drop',
  'dropWorkspace',
  'clear',
  'accept',
  'accept',
  'refuse',
  'flush',
] as const;

const time = fc.constantFrom(2 * hour, 3 * hour, never);

const operation = fc.record({
  kind: fc.constantFrom(...kinds),
  secret: fc.integer({ min: 0, max: 12 }).map(String),
  workspace: fc.constantFrom('ws_1', 'ws_2'),
  now: fc.integer({ min: 1, max: 4 }).map((hours) => hours * hour + hours),
  address: fc.constantFrom('', '192.0.2.1', '192.0.2.2'),
  code: fc.constantFrom('insufficient_scope' as const, 'rate_limited' as const),
  name: fc.constantFrom('', 'short', 'A name with spaces and ümlauts that is longer than a row'),
  expiresAt: time,
  retiresAt: time,
});

type Step = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** A table and its expected content. */
class World {
  readonly held = new PendingUses();
  readonly table: KeyTable;
  /** What was last added per secret; the table may have evicted it. */
  readonly #put = new Map<string, VerifiedKey | EndedSecret>();
  readonly used = new Map<string, number>();
  readonly written = new Map<string, number>();

  constructor(capacity: number) {
    this.table = new KeyTable(capacity, this.held, new KeyLimits());
  }

  readonly steps: Record<Step['kind'], (step: Step) => void> = {
    add: ({ secret, workspace, name, expiresAt, retiresAt }) => {
      const more = { name, expiresAt, retiresAt, scopes: [workspace], workspaceId: workspace };
      const key = keyOf(secret, { ...more, keyId: keyIdOf(secret) });
      this.#put.set(secret, key);
      const row = this.table.add(hashOf(secret), key);
      assert.equal(this.#find(secret), row);
    },
    reject: ({ secret, workspace, now }) => {
      const more = { keyId: keyIdOf(secret), workspaceId: workspace, since: now };
      const ended: EndedSecret = { standing: now > 2 * hour ? 'revoked' : 'retired', ...more };
      this.#put.set(secret, ended);
      this.#assertRow(secret, this.table.addRejected(hashOf(secret), ended));
    },
    drop: ({ secret }) => {
      this.table.drop(hashOf(secret));
      this.#put.delete(secret);
    },
    dropWorkspace: ({ workspace }) => {
      this.table.dropWorkspace(workspace);
      for (const [secret, { workspaceId }] of this.#put)
        if (workspaceId === workspace) this.#put.delete(secret);
    },
    clear: () => {
      this.table.clear();
      this.#put.clear();
    },
    find: ({ secret }) => {
      this.#find(secret);
    },
    accept: ({ secret, now, address }) => {
      const row = this.#find(secret);
      if (row === noRow) return;
      this.table.usage.accept(row, now, address, 'agent');
      count(this.used, keyIdOf(secret), now, 1);
      const uses = this.table.usage.usesOf(keyIdOf(secret)).find(({ hash: of }) => of === hashOf(secret));
      assert.deepEqual([uses?.address, uses?.lastMs], [address, now % hour]);
    },
    refuse: ({ secret, now, code }) => {
      const row = this.#find(secret);
      if (row === noRow) return;
      this.table.usage.refuse(row, now, code);
      count(this.used, `${keyIdOf(secret)} ${code}`, now, 1);
    },
    flush: () => this.flush(),
  };

  flush(): void {
    for (const row of this.table.usage.countedRows()) this.table.usage.hold(row);
    for (const { keyId, hour: at, accepted, refused, refusedBy } of drain(this.held)) {
      if (accepted > 0) count(this.written, keyId, at * hour, accepted);
      for (const [code, requests] of Object.entries(refusedBy))
        count(this.written, `${keyId} ${code}`, at * hour, requests);
      assert.equal(
        Object.values(refusedBy).reduce((sum, requests) => sum + requests, 0),
        refused,
      );
    }
  }

  #find(secret: string): number {
    const row = this.table.find(hashOf(secret));
    if (row !== noRow) this.#assertRow(secret, row);
    return row;
  }

  #assertRow(secret: string, row: number): void {
    const put = this.#put.get(secret);
    assert.ok(put !== undefined, 'nothing is found that was dropped');
    if ('standing' in put) {
      assert.deepEqual(this.table.readEnded(row), put);
      return;
    }
    assert.equal(this.table.readEnded(row), undefined);
    assert.deepEqual(this.table.read(row), put);
    const end = Math.min(put.expiresAt, put.retiresAt);
    for (const now of [hour, 2 * hour, 3 * hour])
      assert.equal(this.table.mayHaveEnded(row, now), end <= now, `at ${now}`);
  }
}

/** Two secrets of each key. */
const keyIdOf = (secret: string) => `key_${Number(secret) >> 1}`;

function count(counts: Map<string, number>, keyId: string, at: number, more: number): void {
  const place = `${keyId} ${Math.floor(at / hour)}`;
  counts.set(place, (counts.get(place) ?? 0) + more);
}

test('after any operations, a row never belongs to another key, and each use is passed on once', () => {
  const steps = fc.array(operation, { maxLength: 200, size: 'max' });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), steps, (capacity, all) => {
      const world = new World(capacity);
      for (const step of all) {
        world.steps[step.kind](step);
        assert.ok(world.table.size <= capacity);
      }
      world.flush();
      assert.equal(world.table.usage.pending, 0);
      assert.deepEqual(world.written, world.used);
    }),
    { numRuns: times(100, 3000) },
  );
});
