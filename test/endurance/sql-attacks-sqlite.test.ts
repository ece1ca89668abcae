import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { z } from 'zod';
import {
  type Attack,
  type AttackTargets,
  harmlessOnBoth,
  keyColumns,
  rejectedOnBoth,
  secretColumns,
} from './attacks.ts';
import { createSqliteFixture, type SqliteFixture } from './sqlite-fixture.ts';

const template = await createSqliteFixture();
after(() => template.close());

/** The database must reject each of these. */
const rejected: Record<string, Attack> = {
  ...rejectedOnBoth,
  'clearing revoked_at with OR IGNORE': ({ id }) => [
    `UPDATE OR IGNORE api_key SET revoked_at = NULL WHERE id = ${id}`,
  ],
  'clearing revoked_at with OR REPLACE': ({ id }) => [
    `UPDATE OR REPLACE api_key SET revoked_at = NULL WHERE id = ${id}`,
  ],
  'setting revoked_at to an empty text': ({ id }) => [`UPDATE api_key SET revoked_at = '' WHERE id = ${id}`],
  'taking the id of an active key': ({ id, activeId }) => [
    `UPDATE OR REPLACE api_key SET id = ${activeId} WHERE id = ${id}`,
  ],
  'giving its id to an active key': ({ id, activeId }) => [
    `UPDATE OR REPLACE api_key SET id = ${id} WHERE id = ${activeId}`,
  ],
  'inserting the key with OR IGNORE': ({ id }) => [
    `INSERT OR IGNORE INTO api_key ${keyColumns} VALUES (${id}, 'ws_a', 'x', 'x', 'x', '', 1)`,
  ],
  'replacing the key': ({ id }) => [
    `REPLACE INTO api_key ${keyColumns} VALUES (${id}, 'ws_a', 'x', 'x', 'x', '', 1)`,
  ],
  'replacing the key with a copy of an active one': ({ id, activeId }) => [
    `INSERT OR REPLACE INTO api_key ${keyColumns}
       SELECT ${id}, workspace_id, created_by, name, name_folded, scopes, created_at FROM api_key WHERE id = ${activeId}`,
  ],
  'giving the hash to the secret of an active key': ({ hash, activeHash }) => [
    `UPDATE OR REPLACE api_key_secret SET hash = ${hash} WHERE hash = ${activeHash}`,
  ],
  'replacing a workspace whose keys are being revoked': () => [
    "UPDATE workspace SET revoking_at = 1 WHERE id = 'ws_a'",
    "REPLACE INTO workspace (id, name, created_at) VALUES ('ws_a', 'x', 1)",
  ],
  'replacing the secret': ({ hash, activeId }) => [
    `REPLACE INTO api_key_secret ${secretColumns} VALUES (${hash}, ${activeId}, 'sk_live_', 'a', 'b', 1)`,
  ],
  'replacing one revoked hash with another': ({ hash }) => [
    `UPDATE OR REPLACE dead_hash SET hash = ${hash} WHERE hash <> ${hash}`,
  ],
  'a temporary trigger that clears revoked_at': ({ id, activeId }) => [
    `CREATE TEMP TRIGGER unrevoke AFTER UPDATE ON main.api_key
       BEGIN UPDATE api_key SET revoked_at = NULL WHERE id = ${id}; END`,
    `UPDATE api_key SET name = 'x' WHERE id = ${activeId}`,
  ],
  'a temporary trigger on the revocation of another key': ({ id, activeId }) => [
    `CREATE TEMP TRIGGER unrevoke AFTER INSERT ON main.dead_hash
       BEGIN UPDATE api_key SET revoked_at = NULL WHERE id = ${id}; END`,
    `UPDATE api_key SET revoked_at = 1 WHERE id = ${activeId}`,
  ],
  'a temporary trigger that deletes revoked hashes': ({ activeId }) => [
    'CREATE TEMP TRIGGER unrevoke AFTER UPDATE ON main.api_key BEGIN DELETE FROM dead_hash; END',
    `UPDATE api_key SET name = 'x' WHERE id = ${activeId}`,
  ],
};

/** These succeed, but must not reactivate the key. */
const harmless: Record<string, Attack> = {
  ...harmlessOnBoth,
  'recording the revoked hash twice': ({ hash }) => [
    `INSERT OR IGNORE INTO dead_hash (hash) VALUES (${hash})`,
  ],
  'inserting the hash as a text': ({ hash, activeId }) => [
    `INSERT INTO api_key_secret ${secretColumns} VALUES (CAST(${hash} AS TEXT), ${activeId}, 'sk_live_', 'a', 'b', 1)`,
  ],
  'a temporary trigger that ignores updates': ({ id }) => [
    'CREATE TEMP TRIGGER ignore BEFORE UPDATE ON main.api_key BEGIN SELECT RAISE(IGNORE); END',
    `UPDATE api_key SET name = 'x' WHERE id = ${id}`,
  ],
};

const settings = {
  'with the settings of the application': [],
  'with recursive_triggers off': ['PRAGMA recursive_triggers = OFF'],
  'with foreign keys off': ['PRAGMA foreign_keys = OFF'],
  'with foreign keys and recursive_triggers off': [
    'PRAGMA foreign_keys = OFF',
    'PRAGMA recursive_triggers = OFF',
  ],
};

for (const [setting, pragmas] of Object.entries(settings)) {
  for (const [name, attack] of Object.entries(rejected)) {
    test(`SQLite rejects ${name}, ${setting}`, async () => {
      await withFixture(pragmas, async (fixture, targets) => {
        await assert.rejects(
          fixture.attack(['PRAGMA defer_foreign_keys = ON', ...attack(targets)]),
          /soku: /,
        );
      });
    });
  }
  for (const [name, attack] of Object.entries(harmless)) {
    test(`on SQLite, ${name} does not reactivate a revoked key, ${setting}`, async () => {
      await withFixture(pragmas, (fixture, targets) => fixture.attack(attack(targets)));
    });
  }
}

test('a revoked hash that is replaced with itself stays revoked', async () => {
  await withFixture([], async ({ attack }, { hash }) => {
    await assert.rejects(attack([`REPLACE INTO dead_hash (hash) VALUES (${hash})`]), /soku: /);
  });
  await withFixture(['PRAGMA recursive_triggers = OFF'], ({ attack }, { hash }) =>
    attack([`REPLACE INTO dead_hash (hash) VALUES (${hash})`]),
  );
});

test('a plain UPDATE of revoked_at revokes a key completely', async () => {
  await withFixture([], async (fixture, { activeId, activeHash }) => {
    const [active] = fixture.active;
    await fixture.attack([`UPDATE api_key SET revoked_at = 1 WHERE id = ${activeId}`]);
    assert.equal(await fixture.verify(active.apiKey), 'revoked_key');
    assert.ok(revokedHashes(fixture).includes(activeHash));
  });
});

test('Kysely, as the application uses it, cannot reactivate a revoked key', async () => {
  await withFixture([], async ({ database: { kysely }, revoked: [revoked] }) => {
    await assert.rejects(
      kysely.updateTable('api_key').set({ revoked_at: null }).where('id', '=', revoked.id).execute(),
      /a revoked key stays revoked/,
    );
    await assert.rejects(
      kysely.deleteFrom('dead_hash').where('hash', '=', revoked.hash).execute(),
      /stays dead/,
    );
    await assert.rejects(
      kysely.deleteFrom('api_key').where('id', '=', revoked.id).execute(),
      /never deleted/,
    );
  });
});

/** Opens a new copy of the database, attacks the first revoked key, and asserts that it is still revoked. */
async function withFixture(
  pragmas: readonly string[],
  run: (fixture: SqliteFixture, targets: AttackTargets) => Promise<void>,
): Promise<void> {
  const fixture = await template.open();
  try {
    const [revoked, otherRevoked] = fixture.revoked;
    const [active] = fixture.active;
    assert.equal(await fixture.verify(active.apiKey), 'accepted');
    for (const pragma of pragmas) await fixture.pragma(pragma);
    const targets = {
      id: `'${revoked.id}'`,
      hash: revoked.hashSql,
      activeId: `'${active.id}'`,
      activeHash: active.hashSql,
      unusedHash: "x'00'",
    };
    await run(fixture, targets);
    assert.equal(await fixture.verify(revoked.apiKey), 'revoked_key');
    assert.equal(await fixture.verify(otherRevoked.apiKey), 'revoked_key');
    assert.ok(revokedHashes(fixture).includes(revoked.hashSql));
  } finally {
    await fixture.close();
  }
}

function revokedHashes({ database }: SqliteFixture): string[] {
  const rows = database.reader.prepare('SELECT hex(hash) AS hash FROM dead_hash').all();
  return z
    .array(z.object({ hash: z.string() }))
    .parse(rows)
    .map(({ hash }) => `x'${hash.toLowerCase()}'`);
}
