/**
 * PostgreSQL keeps revoked keys revoked even against the SQL of a superuser. No trigger can resist its own removal
 * (ALTER TABLE ... DISABLE TRIGGER, DROP); these tests drop triggers only to show that each of them is needed.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Attack, harmlessOnBoth, keyColumns, rejectedOnBoth, secretColumns } from './attacks.ts';
import { startPostgresFixture, type Transaction } from './postgres-fixture.ts';

const fixture = await startPostgresFixture();
after(() => fixture.stop());
const { revoked, active, targets } = fixture;

/** A secret with the first revoked hash, for an active key. */
const csvRow = `\\x${Buffer.from(revoked[0].hash).toString('hex')},${active[0].id},sk_live_,a,b,1`;

const rejected: Record<string, Attack> = {
  ...rejectedOnBoth,
  'clearing revoked_at in a CTE': ({ id }) => [
    `WITH cleared AS (UPDATE api_key SET revoked_at = NULL WHERE id = ${id} RETURNING id) SELECT * FROM cleared`,
  ],
  'deleting the revoked hash and clearing revoked_at in one statement': ({ id, hash }) => [
    `WITH deleted AS (DELETE FROM dead_hash WHERE hash = ${hash} RETURNING hash)
     UPDATE api_key SET revoked_at = NULL FROM deleted WHERE id = ${id}`,
  ],
  'clearing revoked_at through a view': ({ id }) => [
    'CREATE TEMP VIEW keys AS SELECT * FROM api_key',
    `UPDATE keys SET revoked_at = NULL WHERE id = ${id}`,
  ],
  'clearing revoked_at with MERGE': ({ id }) => [
    `MERGE INTO api_key k USING (SELECT ${id} AS id) s ON k.id = s.id
     WHEN MATCHED THEN UPDATE SET revoked_at = NULL WHEN NOT MATCHED THEN DO NOTHING`,
  ],
  'deleting the key with MERGE': ({ id }) => [
    `MERGE INTO api_key k USING (SELECT ${id} AS id) s ON k.id = s.id WHEN MATCHED THEN DELETE`,
  ],
  'deleting the revoked hash with MERGE': ({ hash }) => [
    `MERGE INTO dead_hash d USING (SELECT ${hash} AS hash) s ON d.hash = s.hash WHEN MATCHED THEN DELETE`,
  ],
  'inserting a secret with the hash with MERGE': ({ hash, activeId }) => [
    `MERGE INTO api_key_secret t USING (SELECT ${hash} AS hash) s ON t.hash = s.hash AND t.key_id = ${activeId}
     WHEN NOT MATCHED THEN INSERT ${secretColumns} VALUES (s.hash, ${activeId}, 'sk_live_', 'a', 'b', 1)`,
  ],
  'truncating the revoked hashes': () => ['TRUNCATE dead_hash'],
  'truncating the keys': () => ['TRUNCATE api_key CASCADE'],
  'truncating the secrets': () => ['TRUNCATE api_key_secret CASCADE'],
  'truncating the table that keys reference': () => ['TRUNCATE workspace CASCADE'],
  'truncating the secrets and inserting the secret again': ({ hash, activeId }) => [
    'TRUNCATE api_key_secret CASCADE',
    `INSERT INTO api_key_secret ${secretColumns} VALUES (${hash}, ${activeId}, 'sk_live_', 'a', 'b', 1)`,
  ],
  'inserting a secret with the hash with COPY': () => [
    `COPY api_key_secret ${secretColumns} FROM PROGRAM 'printf %s "${csvRow}"' (FORMAT csv)`,
  ],
  'swapping the ids of two keys': ({ id, activeId }) => [
    `UPDATE api_key SET id = CASE id WHEN ${id} THEN ${activeId} ELSE ${id} END WHERE id IN (${id}, ${activeId})`,
  ],
  'swapping the keys of two secrets': ({ id, hash, activeId, activeHash }) => [
    `UPDATE api_key_secret SET key_id = CASE hash WHEN ${hash} THEN ${activeId} ELSE ${id} END
     WHERE hash IN (${hash}, ${activeHash})`,
  ],
  'replacing one revoked hash with another': ({ hash, unusedHash }) => [
    `INSERT INTO dead_hash (hash) VALUES (${hash}) ON CONFLICT (hash) DO UPDATE SET hash = ${unusedHash}`,
  ],
};

const harmless: Record<string, Attack> = {
  ...harmlessOnBoth,
  'recording the revoked hash twice': ({ hash }) => [
    `INSERT INTO dead_hash (hash) VALUES (${hash}) ON CONFLICT DO NOTHING`,
  ],
  'inserting the key with ON CONFLICT DO NOTHING': ({ id }) => [
    `INSERT INTO api_key ${keyColumns} VALUES (${id}, 'ws_a', 'x', 'x', 'x', '', 1) ON CONFLICT DO NOTHING`,
  ],
  'a trigger that clears revoked_at after all others have run': ({ id }) => [
    `CREATE FUNCTION unrevoke() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN NEW.revoked_at := NULL; NEW.revoked_by := NULL; RETURN NEW; END $$`,
    'CREATE TRIGGER zzz BEFORE UPDATE ON api_key FOR EACH ROW EXECUTE FUNCTION unrevoke()',
    `UPDATE api_key SET name = 'x' WHERE id = ${id}`,
  ],
  'a table that inherits from the secrets': ({ hash, activeId }) => [
    'CREATE TABLE more_secrets () INHERITS (api_key_secret)',
    `INSERT INTO more_secrets ${secretColumns} VALUES (${hash}, ${activeId}, 'sk_live_', 'a', 'b', 1)`,
  ],
};

/** The second setting disables ordinary triggers and foreign keys. */
const settings = {
  'in an ordinary session': [],
  'with session_replication_role = replica': ['SET LOCAL session_replication_role = replica'],
};

/** Whether PostgreSQL rejected the statement with an integrity constraint violation (class 23). */
const isIntegrityViolation = (error: unknown) =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('23');

async function assertStillRevoked(transaction: Transaction): Promise<void> {
  for (const { apiKey, hashSql } of revoked) {
    assert.notEqual(await transaction.verify(apiKey), 'accepted');
    assert.equal((await transaction.rows(`SELECT 1 FROM dead_hash WHERE hash = ${hashSql}`)).length, 1);
  }
}

/** Every trigger in the database that keeps revoked keys revoked. */
const triggers = await fixture.inTransaction((transaction) =>
  transaction.rows(
    `SELECT tgname AS name, tgrelid::regclass::text AS "table" FROM pg_trigger
     WHERE NOT tgisinternal AND tgname NOT LIKE '%\\_published'
       AND tgname NOT IN ('api_key_resumed', 'api_key_use', 'last_use_added', 'last_use_moved', 'api_key_secret_preview') ORDER BY tgname`,
  ),
);

for (const [setting, statements] of Object.entries(settings)) {
  for (const [name, attack] of Object.entries(rejected)) {
    test(`PostgreSQL rejects ${name}, ${setting}`, async () => {
      await fixture.inTransaction(async (transaction) => {
        await transaction.attack(statements);
        await assert.rejects(transaction.attack(attack(targets)), isIntegrityViolation);
        await assertStillRevoked(transaction);
        assert.equal(await transaction.verify(active[0].apiKey), 'accepted');
      });
    });
  }
  for (const [name, attack] of Object.entries(harmless)) {
    test(`on PostgreSQL, ${name} does not reactivate a revoked key, ${setting}`, async () => {
      await fixture.inTransaction(async (transaction) => {
        await transaction.attack([...statements, ...attack(targets)]);
        await assertStillRevoked(transaction);
      });
    });
  }
  test(`on PostgreSQL, a plain UPDATE of revoked_at revokes a key completely, ${setting}`, async () => {
    await fixture.inTransaction(async (transaction) => {
      const [{ apiKey, hashSql }] = active;
      const before = await headOf(transaction);
      await transaction.attack([
        ...statements,
        `UPDATE api_key SET revoked_at = 1 WHERE id = ${targets.activeId}`,
      ]);
      assert.equal(await transaction.verify(apiKey), 'revoked_key');
      assert.equal((await transaction.rows(`SELECT 1 FROM dead_hash WHERE hash = ${hashSql}`)).length, 1);
      assert.equal(await headOf(transaction), before + 1, 'the change log notifies the nodes');
    });
  });
}

async function headOf(transaction: Transaction): Promise<number> {
  return Number((await transaction.rows('SELECT seq FROM change_head'))[0]?.seq);
}

test('PostgreSQL has all 17 triggers that keep revoked keys revoked', () => {
  assert.equal(triggers.length, 17);
});

/** Triggers without which no attack succeeds, because another trigger also rejects it. */
const redundant = [
  // Truncating the keys also truncates their secrets, and the trigger on that table rejects it.
  'api_key_not_truncated',
  // A secret cannot be deleted either, so its hash cannot return in another row. The next test covers this trigger.
  'api_key_secret_retired',
];

test('on PostgreSQL, a plain UPDATE of retired_at records the hash of the secret as revoked', async () => {
  await fixture.inTransaction(async (transaction) => {
    const [{ apiKey, hashSql }] = active;
    await transaction.attack([`UPDATE api_key_secret SET retired_at = 1 WHERE hash = ${hashSql}`]);
    assert.equal(await transaction.verify(apiKey), 'revoked_key');
    assert.equal((await transaction.rows(`SELECT 1 FROM dead_hash WHERE hash = ${hashSql}`)).length, 1);
  });
});

for (const { name, table } of triggers.filter((trigger) => !redundant.includes(String(trigger.name)))) {
  test(`without the trigger ${name}, at least one attack succeeds`, async () => {
    const [remove, replica] = [
      `DROP TRIGGER ${name} ON ${table}`,
      settings['with session_replication_role = replica'],
    ];
    const succeeded: string[] = [];
    for (const [what, attack] of Object.entries(rejected)) {
      await fixture.inTransaction(async (transaction) => {
        await transaction.attack([remove, ...replica]);
        await transaction.attack(attack(targets)).then(
          () => succeeded.push(what),
          () => undefined,
        );
      });
    }
    const recorded = await fixture.inTransaction(async (transaction) => {
      await transaction.attack([remove, `UPDATE api_key SET revoked_at = 1 WHERE id = ${targets.activeId}`]);
      return transaction.rows(`SELECT 1 FROM dead_hash WHERE hash = ${targets.activeHash}`);
    });
    if (recorded.length === 0) succeeded.push('a revoke that does not record the hash');
    assert.notDeepEqual(succeeded, []);
  });
}
