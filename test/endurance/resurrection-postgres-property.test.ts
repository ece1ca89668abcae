import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { times } from '../support/long.ts';
import { changes, named } from './attack-statements.ts';
import { digPostgresGraves, type Transaction } from './graveyard-postgres.ts';

const graves = await digPostgresGraves();
after(() => graves.stop());

const role = fc
  .constantFrom('replica', 'origin')
  .map((name) => `SET LOCAL session_replication_role = ${name}`);

/** Some statements that succeed together or not at all, seldom with the usual triggers and foreign keys switched off. */
const step = fc
  .tuple(fc.option(role, { freq: 3 }), fc.array(changes('postgres'), { minLength: 1, maxLength: 3 }))
  .map(([setting, some]) => [...(setting === null ? [] : [setting]), ...some]);

/** Hashes that the database has called dead, in either way. */
async function deadNow(transaction: Transaction): Promise<string[]> {
  const rows = await transaction.rows(
    `SELECT encode(hash, 'hex') AS hash FROM dead_hash UNION
     SELECT encode(s.hash, 'hex') FROM api_key_secret s JOIN api_key k ON k.id = s.key_id
     WHERE k.revoked_at IS NOT NULL OR s.retired_at IS NOT NULL`,
  );
  return rows.map(({ hash }) => `'\\x${hash}'::bytea`);
}

/** @returns whether the database carried each step out */
async function tryEach(transaction: Transaction, steps: readonly string[][]): Promise<boolean[]> {
  const outcomes: boolean[] = [];
  const dead = new Set(await deadNow(transaction));
  for (const statements of steps) {
    const attack = statements.map((statement) => named(statement, graves, graves.names.strangeHash));
    outcomes.push(
      await transaction.attack(attack).then(
        () => true,
        () => false,
      ),
    );
    for (const hash of await deadNow(transaction)) dead.add(hash);
    for (const { apiKey } of [...graves.dead, ...graves.living].filter(({ hashSql }) => dead.has(hashSql)))
      assert.notEqual(await transaction.verify(apiKey), 'accepted');
  }
  return outcomes;
}

test('on PostgreSQL no sequence of INSERT, UPDATE, DELETE and MERGE makes a verifier accept a key that was dead', async () => {
  const outcomes: boolean[] = [];
  const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
    outcomes.push(...(await graves.inTransaction((transaction) => tryEach(transaction, steps))));
  });
  await fc.assert(property, { numRuns: times(15, 1500) });
  const carriedOut = outcomes.filter(Boolean).length;
  assert.ok(carriedOut > outcomes.length / 10, `only ${carriedOut} of ${outcomes.length} were carried out`);
});
