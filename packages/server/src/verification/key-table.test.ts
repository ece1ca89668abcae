/** The table against a simple model of it: never another key's row, never too many, no use lost. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyTable, none } from './key-table.ts';
import type { VerifiedKey } from './known-secret.ts';

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

/** The id of the key whose row is found. */
function idAt(table: KeyTable, secret: string): string | undefined {
  const row = table.find(hashOf(secret));
  return row === none ? undefined : table.keyId(row);
}

const put = (table: KeyTable, secret: string) => table.add(hashOf(secret), keyOf(secret));

test('a row says of its key what was put into it', () => {
  const table = new KeyTable(3);
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

test('a row that is used survives any number of others that are not', () => {
  const table = new KeyTable(10);
  put(table, 'good');
  for (let i = 0; i < 1000; i++) {
    assert.equal(idAt(table, 'good'), 'key_good');
    put(table, `other ${i}`);
  }
});

test('a full table whose rows are all in use lets one of them go, and stays full', () => {
  const table = new KeyTable(500);
  const secrets = Array.from({ length: 500 }, (_, i) => `used ${i}`);
  for (const secret of secrets) put(table, secret);
  for (const secret of secrets) idAt(table, secret);
  put(table, 'new');
  assert.equal(table.size, 500);
  assert.equal(idAt(table, 'new'), 'key_new');
  assert.equal(secrets.filter((secret) => idAt(table, secret) !== undefined).length, 499);
});

const hour = 3_600_000;
const kinds = [
  'find',
  'add',
  'add',
  'drop',
  'dropWorkspace',
  'clear',
  'accept',
  'accept',
  'refuse',
  'take',
] as const;

const operation = fc.record({
  kind: fc.constantFrom(...kinds),
  secret: fc.integer({ min: 0, max: 12 }).map(String),
  workspace: fc.constantFrom('ws_1', 'ws_2'),
  now: fc.integer({ min: 1, max: 4 }).map((hours) => hours * hour + hours),
  address: fc.constantFrom('', '192.0.2.1', '192.0.2.2'),
});

type Step = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** A table, and what must be in it. */
class World {
  readonly table: KeyTable;
  /** Secrets to the key that was put there last, which the table may have given up. */
  readonly #keys = new Map<string, VerifiedKey>();
  readonly used = new Map<string, number>();
  readonly taken = new Map<string, number>();

  constructor(capacity: number) {
    this.table = new KeyTable(capacity);
  }

  readonly steps: Record<Step['kind'], (step: Step) => void> = {
    add: ({ secret, workspace }) => {
      const key = keyOf(secret, { keyId: keyIdOf(secret), workspaceId: workspace, scopes: [workspace] });
      this.#keys.set(secret, key);
      assert.deepEqual(this.table.read(this.table.add(hashOf(secret), key)), key);
    },
    drop: ({ secret }) => {
      this.table.drop(hashOf(secret));
      this.#keys.delete(secret);
    },
    dropWorkspace: ({ workspace }) => {
      this.table.dropWorkspace(workspace);
      for (const [secret, { workspaceId }] of this.#keys)
        if (workspaceId === workspace) this.#keys.delete(secret);
    },
    clear: () => {
      this.table.clear();
      this.#keys.clear();
    },
    find: ({ secret }) => {
      this.#find(secret);
    },
    accept: ({ secret, now, address }) => {
      const row = this.#find(secret);
      if (row === none) return;
      this.table.usage.accept(row, now, address, 'agent');
      count(this.used, keyIdOf(secret), now, 1);
      const uses = this.table.usesOf(keyIdOf(secret)).find(({ hash: of }) => of === hashOf(secret));
      assert.deepEqual([uses?.address, uses?.lastMs], [address, now % hour]);
    },
    refuse: ({ secret, now }) => {
      const row = this.#find(secret);
      if (row === none) return;
      this.table.usage.refuse(row, now);
      count(this.used, keyIdOf(secret), now, 1);
    },
    take: () => this.take(2),
  };

  take(most: number): void {
    for (const uses of [...this.table.usage.takeLeft(), ...this.table.usage.take(most)])
      count(this.taken, uses.keyId, uses.hour * hour, uses.accepted + uses.refused);
  }

  #find(secret: string): number {
    const row = this.table.find(hashOf(secret));
    if (row !== none) assert.deepEqual(this.table.read(row), this.#keys.get(secret));
    return row;
  }
}

/** Two secrets of each key. */
const keyIdOf = (secret: string) => `key_${Number(secret) >> 1}`;

function count(counts: Map<string, number>, keyId: string, at: number, more: number): void {
  const place = `${keyId} ${Math.floor(at / hour)}`;
  counts.set(place, (counts.get(place) ?? 0) + more);
}

test('whatever is put in and taken out, a row is never that of another key, and each use is handed over once', () => {
  const steps = fc.array(operation, { maxLength: 200, size: 'max' });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), steps, (capacity, all) => {
      const world = new World(capacity);
      for (const step of all) {
        world.steps[step.kind](step);
        assert.ok(world.table.size <= capacity);
      }
      world.take(100);
      assert.equal(world.table.usage.size, 0);
      assert.deepEqual(world.taken, world.used);
    }),
    { numRuns: 300 },
  );
});
