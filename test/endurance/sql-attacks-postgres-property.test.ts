import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { runCount } from '../support/run-count.ts';
import { changeStatements, fillPlaceholders } from './attack-statements.ts';
import { startPostgresFixture, type Transaction } from './postgres-fixture.ts';

const fixture = await startPostgresFixture();
after(() => fixture.stop());

const role = fc
  .constantFrom('replica', 'origin')
  .map((name) => `SET LOCAL session_replication_role = ${name}`);

/** Some statements that succeed or fail together, sometimes with ordinary triggers and foreign keys disabled. */
const step = fc
  .tuple(fc.option(role, { freq: 3 }), fc.array(changeStatements('postgres'), { minLength: 1, maxLength: 3 }))
  .map(([setting, some]) => [...(setting === null ? [] : [setting]), ...some]);

/** Hashes that the database currently records as revoked or retired. */
async function revokedHashes(transaction: Transaction): Promise<string[]> {
  const rows = await transaction.rows(
    `SELECT encode(hash, 'hex') AS hash FROM dead_hash UNION
     SELECT encode(s.hash, 'hex') FROM api_key_secret s JOIN api_key k ON k.id = s.key_id
     JOIN workspace w ON w.id = k.workspace_id
     WHERE coalesce(k.revoked_at, s.retired_at, w.revoking_at) IS NOT NULL`,
  );
  return rows.map(({ hash }) => `'\\x${hash}'::bytea`);
}

/** @returns for each step, whether the database executed it */
async function executeEach(transaction: Transaction, steps: readonly string[][]): Promise<boolean[]> {
  const outcomes: boolean[] = [];
  const revoked = new Set(await revokedHashes(transaction));
  for (const statements of steps) {
    const attack = statements.map((statement) =>
      fillPlaceholders(statement, fixture, fixture.targets.unusedHash),
    );
    outcomes.push(
      await transaction.attack(attack).then(
        () => true,
        () => false,
      ),
    );
    for (const hash of await revokedHashes(transaction)) revoked.add(hash);
    const keys = [...fixture.revoked, ...fixture.active].filter(({ hashSql }) => revoked.has(hashSql));
    for (const { apiKey } of keys) assert.notEqual(await transaction.verify(apiKey), 'accepted');
  }
  return outcomes;
}

test('on PostgreSQL, no sequence of INSERT, UPDATE, DELETE and MERGE makes a verifier accept a revoked key', async () => {
  const outcomes: boolean[] = [];
  const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
    outcomes.push(...(await fixture.inTransaction((transaction) => executeEach(transaction, steps))));
  });
  await fc.assert(property, { numRuns: runCount(40, 1500) });
  const executed = outcomes.filter(Boolean).length;
  assert.ok(executed > outcomes.length / 25, `only ${executed} of ${outcomes.length} steps were executed`);
});
