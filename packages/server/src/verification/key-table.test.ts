import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { drain } from '../../../../test/support/drain.ts';
import { unrestrictedKey } from '../../../../test/support/verified-key.ts';
import { KeyLimits } from '../limits/key-limits.ts';
import { PendingUses } from '../usage/pending-uses.ts';
import { parseAllowedAddresses } from './allowed-addresses.ts';
import { KeyTable, noRow } from './key-table.ts';
import type { VerifiedKey } from './stored-secret.ts';

const hashOf = (secret: string) => hash('sha256', secret, 'binary');

function keyOf(secret: string, more: Partial<VerifiedKey> = {}): VerifiedKey {
  return { ...unrestrictedKey, keyId: `key_${secret}`, name: secret, ...more };
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
    disabled: true,
    environment: 'test',
    allowedAddresses: parseAllowedAddresses('192.0.2.1 2001:db8::/32'),
    externalId: 'customer “7”',
    metadata: '{"team":"a"}',
  });
  const row = table.add(hashOf('full'), full);
  assert.deepEqual(table.read(row), { ...full, name: name.toWellFormed() });
  assert.equal(table.hash(row), hashOf('full'));
  const plain = keyOf('plain', { expiresAt: 4 });
  const plainRow = table.add(hashOf('plain'), plain);
  assert.deepEqual(table.read(plainRow), plain);
  assert.deepEqual([table.end(plainRow), table.details.isRestricted(plainRow)], [4, false]);
  for (const restriction of [
    { disabled: true },
    { environment: 'test' },
    { allowedAddresses: parseAllowedAddresses('::1') },
  ] as const) {
    const restricted = table.add(hashOf('plain'), keyOf('plain', restriction));
    assert.equal(table.details.isRestricted(restricted), true);
  }
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

const hour = 3_600_000;

test('a client that was only rejected is still new for the next accepted use', () => {
  const pending = new PendingUses();
  const table = new KeyTable(1, pending, new KeyLimits());
  const row = put(table, 'one');
  table.usage.accept(row, 1, '192.0.2.1', 'agent');
  table.usage.moveToPending(row);
  drain(pending);
  table.usage.accept(row, 2, '192.0.2.2', 'agent');
  table.usage.moveToPending(row);
  drain(pending);
  table.usage.accept(row, 3, '192.0.2.2', 'agent');
  assert.equal(table.usage.of(row)?.changesLastUse, false);
  table.usage.moveToPending(row);
  drain(pending);
  const other = table.find(hashOf('one'));
  table.usage.reject(other, hour, 'rate_limited');
  table.usage.moveToPending(other);
  drain(pending);
  table.usage.accept(other, hour + 1, '192.0.2.2', 'agent');
  assert.equal(table.usage.of(other)?.changesLastUse, true, 'no accepted use of this hour is known');
});

test('a table keeps no more strings than its rows use', () => {
  const pending = new PendingUses();
  const table = new KeyTable(2, pending, new KeyLimits());
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
  assert.equal(table.sharedTexts, 8, 'workspace, scopes, address and agent of each');
  assert.equal(pending.size + table.usage.countedRows, 1000);
});
