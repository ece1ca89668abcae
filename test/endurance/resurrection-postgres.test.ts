/**
 * The graves on PostgreSQL, against whoever has SQL, be it a superuser's. Out of reach of any trigger is who takes the
 * triggers away (ALTER TABLE ... DISABLE TRIGGER, DROP): there it is tried only to see that each of them is needed.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Attack, aKeyRow, aSecretRow, harmlessOnBoth, refusedOnBoth } from './attacks.ts';
import { digPostgresGraves, type Transaction } from './graveyard-postgres.ts';

const graves = await digPostgresGraves();
after(() => graves.stop());
const { dead, living, names } = graves;

/** A secret with the first dead hash, for a living key. */
const csvRow = `\\x${Buffer.from(dead[0].hash).toString('hex')},${living[0].id},sk_live_,a,b,1`;

const refused: Record<string, Attack> = {
  ...refusedOnBoth,
  'clearing revoked_at in a CTE': ({ id }) => [
    `WITH raised AS (UPDATE api_key SET revoked_at = NULL WHERE id = ${id} RETURNING id) SELECT * FROM raised`,
  ],
  'digging up and clearing in one statement': ({ id, hash }) => [
    `WITH dug AS (DELETE FROM dead_hash WHERE hash = ${hash} RETURNING hash)
     UPDATE api_key SET revoked_at = NULL FROM dug WHERE id = ${id}`,
  ],
  'clearing it through a view': ({ id }) => [
    'CREATE TEMP VIEW keys AS SELECT * FROM api_key',
    `UPDATE keys SET revoked_at = NULL WHERE id = ${id}`,
  ],
  'clearing it by MERGE': ({ id }) => [
    `MERGE INTO api_key k USING (SELECT ${id} AS id) s ON k.id = s.id
     WHEN MATCHED THEN UPDATE SET revoked_at = NULL WHEN NOT MATCHED THEN DO NOTHING`,
  ],
  'deleting the key by MERGE': ({ id }) => [
    `MERGE INTO api_key k USING (SELECT ${id} AS id) s ON k.id = s.id WHEN MATCHED THEN DELETE`,
  ],
  'digging up by MERGE': ({ hash }) => [
    `MERGE INTO dead_hash d USING (SELECT ${hash} AS hash) s ON d.hash = s.hash WHEN MATCHED THEN DELETE`,
  ],
  'a secret with the hash by MERGE': ({ hash, livingId }) => [
    `MERGE INTO api_key_secret t USING (SELECT ${hash} AS hash) s ON t.hash = s.hash AND t.key_id = ${livingId}
     WHEN NOT MATCHED THEN INSERT ${aSecretRow} VALUES (s.hash, ${livingId}, 'sk_live_', 'a', 'b', 1)`,
  ],
  'emptying the graves': () => ['TRUNCATE dead_hash'],
  'emptying the keys': () => ['TRUNCATE api_key CASCADE'],
  'emptying the secrets': () => ['TRUNCATE api_key_secret CASCADE'],
  'emptying what the keys hang on': () => ['TRUNCATE workspace CASCADE'],
  'emptying and filling in again': ({ hash, livingId }) => [
    'TRUNCATE api_key_secret CASCADE',
    `INSERT INTO api_key_secret ${aSecretRow} VALUES (${hash}, ${livingId}, 'sk_live_', 'a', 'b', 1)`,
  ],
  'copying a secret with the hash in': () => [
    `COPY api_key_secret ${aSecretRow} FROM PROGRAM 'printf %s "${csvRow}"' (FORMAT csv)`,
  ],
  'swapping the ids of two keys': ({ id, livingId }) => [
    `UPDATE api_key SET id = CASE id WHEN ${id} THEN ${livingId} ELSE ${id} END WHERE id IN (${id}, ${livingId})`,
  ],
  'swapping the keys of two secrets': ({ id, hash, livingId, livingHash }) => [
    `UPDATE api_key_secret SET key_id = CASE hash WHEN ${hash} THEN ${livingId} ELSE ${id} END
     WHERE hash IN (${hash}, ${livingHash})`,
  ],
  'one dead hash in place of another': ({ hash, strangeHash }) => [
    `INSERT INTO dead_hash (hash) VALUES (${hash}) ON CONFLICT (hash) DO UPDATE SET hash = ${strangeHash}`,
  ],
};

const harmless: Record<string, Attack> = {
  ...harmlessOnBoth,
  'burying the hash twice': ({ hash }) => [
    `INSERT INTO dead_hash (hash) VALUES (${hash}) ON CONFLICT DO NOTHING`,
  ],
  'inserting the key where there is one': ({ id }) => [
    `INSERT INTO api_key ${aKeyRow} VALUES (${id}, 'ws_a', 'x', 'x', 'x', '', 1) ON CONFLICT DO NOTHING`,
  ],
  'a trigger that clears revoked_at when all others have looked': ({ id }) => [
    `CREATE FUNCTION raise_dead() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN NEW.revoked_at := NULL; NEW.revoked_by := NULL; RETURN NEW; END $$`,
    'CREATE TRIGGER zzz BEFORE UPDATE ON api_key FOR EACH ROW EXECUTE FUNCTION raise_dead()',
    `UPDATE api_key SET name = 'x' WHERE id = ${id}`,
  ],
  'a table of which the secrets inherit': ({ hash, livingId }) => [
    'CREATE TABLE more_secrets () INHERITS (api_key_secret)',
    `INSERT INTO more_secrets ${aSecretRow} VALUES (${hash}, ${livingId}, 'sk_live_', 'a', 'b', 1)`,
  ],
};

/** Usual triggers and foreign keys do not work in the second one. */
const settings = {
  'in a usual session': [],
  'with session_replication_role = replica': ['SET LOCAL session_replication_role = replica'],
};

/** The database itself says no: integrity_constraint_violation, whose class the keys of tables have, too. */
const isRefusal = (error: unknown) =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('23');

async function assertStillDead(transaction: Transaction): Promise<void> {
  for (const { apiKey, hashSql } of dead) {
    assert.notEqual(await transaction.verify(apiKey), 'accepted');
    assert.equal((await transaction.rows(`SELECT 1 FROM dead_hash WHERE hash = ${hashSql}`)).length, 1);
  }
}

/** Every trigger that keeps keys dead, as the database has them. */
const keepers = await graves.inTransaction((transaction) =>
  transaction.rows(
    `SELECT tgname AS name, tgrelid::regclass::text AS "table" FROM pg_trigger
     WHERE NOT tgisinternal AND tgname NOT LIKE '%\\_published' ORDER BY tgname`,
  ),
);

for (const [setting, statements] of Object.entries(settings)) {
  for (const [name, attack] of Object.entries(refused)) {
    test(`PostgreSQL refuses ${name}, ${setting}`, async () => {
      await graves.inTransaction(async (transaction) => {
        await transaction.attack(statements);
        await assert.rejects(transaction.attack(attack(names)), isRefusal);
        await assertStillDead(transaction);
        assert.equal(await transaction.verify(living[0].apiKey), 'accepted');
      });
    });
  }
  for (const [name, attack] of Object.entries(harmless)) {
    test(`on PostgreSQL ${name} brings no key back, ${setting}`, async () => {
      await graves.inTransaction(async (transaction) => {
        await transaction.attack([...statements, ...attack(names)]);
        await assertStillDead(transaction);
      });
    });
  }
  test(`on PostgreSQL a key that is revoked by a plain UPDATE is as dead as any other, ${setting}`, async () => {
    await graves.inTransaction(async (transaction) => {
      const [{ apiKey, hashSql }] = living;
      const before = await headOf(transaction);
      await transaction.attack([
        ...statements,
        `UPDATE api_key SET revoked_at = 1 WHERE id = ${names.livingId}`,
      ]);
      assert.equal(await transaction.verify(apiKey), 'revoked_key');
      assert.equal((await transaction.rows(`SELECT 1 FROM dead_hash WHERE hash = ${hashSql}`)).length, 1);
      assert.equal(await headOf(transaction), before + 1, 'the nodes are told');
    });
  });
}

async function headOf(transaction: Transaction): Promise<number> {
  return Number((await transaction.rows('SELECT seq FROM change_head'))[0]?.seq);
}

test('there are as many triggers as there are ways to bring a key back', () => {
  assert.equal(keepers.length, 14);
});

const doubled = [
  // To empty the keys is to empty their secrets, too, and the trigger there refuses that.
  'api_key_not_truncated',
  // A secret cannot be deleted either, so its hash cannot come back in another row. The test below has it.
  'api_key_secret_retired',
];

test('on PostgreSQL the hash of a secret that is retired by a plain UPDATE is dead', async () => {
  await graves.inTransaction(async (transaction) => {
    const [{ apiKey, hashSql }] = living;
    await transaction.attack([`UPDATE api_key_secret SET retired_at = 1 WHERE hash = ${hashSql}`]);
    assert.equal(await transaction.verify(apiKey), 'revoked_key');
    assert.equal((await transaction.rows(`SELECT 1 FROM dead_hash WHERE hash = ${hashSql}`)).length, 1);
  });
});

for (const { name, table } of keepers.filter((keeper) => !doubled.includes(String(keeper.name)))) {
  test(`without the trigger ${name} one of the attacks succeeds`, async () => {
    const [remove, replica] = [
      `DROP TRIGGER ${name} ON ${table}`,
      settings['with session_replication_role = replica'],
    ];
    const succeeded: string[] = [];
    for (const [what, attack] of Object.entries(refused)) {
      await graves.inTransaction(async (transaction) => {
        await transaction.attack([remove, ...replica]);
        await transaction.attack(attack(names)).then(
          () => succeeded.push(what),
          () => undefined,
        );
      });
    }
    const buried = await graves.inTransaction(async (transaction) => {
      await transaction.attack([remove, `UPDATE api_key SET revoked_at = 1 WHERE id = ${names.livingId}`]);
      return transaction.rows(`SELECT 1 FROM dead_hash WHERE hash = ${names.livingHash}`);
    });
    if (buried.length === 0) succeeded.push('a revoke that buries nothing');
    assert.notDeepEqual(succeeded, []);
  });
}
