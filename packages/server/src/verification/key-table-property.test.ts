/** Compares the table with a simple model: no wrong row, never over capacity, no use lost. */

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { drain } from '../../../../test/support/drain.ts';
import { runCount } from '../../../../test/support/run-count.ts';
import { unrestrictedKey } from '../../../../test/support/verified-key.ts';
import { KeyLimits } from '../limits/key-limits.ts';
import { allKeys } from '../usage/key-range.ts';
import { formatLogRow, parseLogRow } from '../usage/log-format.ts';
import { PendingUses } from '../usage/pending-uses.ts';
import { parseAllowedAddresses } from './allowed-addresses.ts';
import { KeyTable, noRow } from './key-table.ts';
import type { EndedSecret, VerifiedKey } from './stored-secret.ts';

const never = Number.POSITIVE_INFINITY;

const hashOf = (secret: string) => hash('sha256', secret, 'binary');

/** Writes all uses. */
const hour = 3_600_000;
const kinds = [
  'find',
  'add',
  'add',
  'addRejected',
  'drop',
  'dropWorkspace',
  'clear',
  'accept',
  'accept',
  'reject',
  'log',
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
  name: fc.constantFrom('', 'short', 'A name that is longer than a row', 'A very long näme '.repeat(5)),
  expiresAt: time,
  retiresAt: time,
});

const secretsByHash = new Map(Array.from({ length: 13 }, (_, i) => [hashOf(String(i)), String(i)]));

type Step = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** A table and its expected content. */
class World {
  readonly pending = new PendingUses();
  readonly table: KeyTable;
  /** What was last added per secret; the table may have evicted it. */
  readonly #put = new Map<string, VerifiedKey | EndedSecret>();
  readonly used = new Map<string, number>();
  readonly written = new Map<string, number>();
  readonly logged = new Map<string, number>();

  constructor(capacity: number) {
    this.table = new KeyTable(capacity, this.pending, new KeyLimits());
    this.pending.hasLog = true;
  }

  readonly steps: Record<Step['kind'], (step: Step) => void> = {
    add: ({ secret, workspace, name, expiresAt, retiresAt }) => {
      const more = { name, expiresAt, retiresAt, scopes: [workspace], workspaceId: workspace };
      // As some keys have them.
      const externalId = name.length % 2 === 0 ? null : name;
      const allowedAddresses = name.length % 3 === 0 ? parseAllowedAddresses('192.0.2.1') : null;
      const key = { ...unrestrictedKey, ...more, keyId: keyIdOf(secret), externalId, allowedAddresses };
      this.#put.set(secret, key);
      const row = this.table.add(hashOf(secret), key);
      assert.equal(this.#find(secret), row);
    },
    addRejected: ({ secret, workspace, now }) => {
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
    reject: ({ secret, now, code }) => {
      const row = this.#find(secret);
      if (row === noRow) return;
      this.table.usage.reject(row, now, code);
      count(this.used, `${keyIdOf(secret)} ${code}`, now, 1);
    },
    log: ({ secret }) => this.#log(Number(secret)),
    flush: () => this.flush(),
  };

  /** Appends some of the changed rows to the log, whose counts have only a hash. */
  #log(most: number): void {
    const { usage } = this.table;
    const changed = usage.takeChanged();
    const rows = changed.slice(0, most);
    usage.moveRejectionsToPending(rows);
    const packed = parseLogRow(formatLogRow({ packed: usage.pack(rows) }));
    usage.setLogged(rows);
    usage.relist(changed);
    for (const one of packed?.counts ?? []) {
      const secret = secretsByHash.get(one.hash) ?? 'unknown';
      count(this.logged, keyIdOf(secret), one.hour * hour, one.accepted);
    }
    this.#logPending();
  }

  #logPending(): void {
    const pending = this.pending.unlogged;
    for (const { keyId, hour: at, accepted, refusedBy } of pending) {
      if (accepted > 0) count(this.logged, keyId, at * hour, accepted);
      for (const [code, requests] of Object.entries(refusedBy))
        count(this.logged, `${keyId} ${code}`, at * hour, requests);
    }
    this.pending.setLogged(pending);
  }

  flush(): void {
    Array.from(this.table.usage.moveAllToPending(allKeys));
    this.#logPending();
    for (const { keyId, hour: at, accepted, refused, refusedBy } of drain(this.pending)) {
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
    assert.ok(put !== undefined, 'a dropped secret is not found');
    if ('standing' in put) {
      assert.deepEqual(this.table.readEnded(row), put);
      return;
    }
    assert.equal(this.table.readEnded(row), undefined);
    assert.deepEqual(this.table.read(row), put);
    assert.equal(this.table.end(row), Math.min(put.expiresAt, put.retiresAt));
    assert.equal(this.table.details.isRestricted(row), put.allowedAddresses !== null);
  }
}

/** Two secrets of each key. */
const keyIdOf = (secret: string) => `key_${Number(secret) >> 1}`;

function count(counts: Map<string, number>, keyId: string, at: number, more: number): void {
  const place = `${keyId} ${Math.floor(at / hour)}`;
  counts.set(place, (counts.get(place) ?? 0) + more);
}

test('after any operations, a row never belongs to another key, and each use leaves the table once', () => {
  const steps = fc.array(operation, { maxLength: 200, size: 'max' });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), steps, (capacity, all) => {
      const world = new World(capacity);
      for (const step of all) {
        world.steps[step.kind](step);
        assert.ok(world.table.size <= capacity);
      }
      world.flush();
      assert.equal(world.table.usage.countedRows, 0);
      assert.deepEqual(world.written, world.used);
      assert.deepEqual(world.logged, world.used);
      assert.equal(world.table.usage.unloggedRows, 0);
    }),
    { numRuns: runCount(100, 3000) },
  );
});
