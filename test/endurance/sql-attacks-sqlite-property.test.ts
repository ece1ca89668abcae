import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { runCount } from '../support/run-count.ts';
import { changeStatements, fillPlaceholders } from './attack-statements.ts';
import { createSqliteFixture, type SqliteFixture } from './sqlite-fixture.ts';

const template = await createSqliteFixture();
after(() => template.close());

const pragma = fc.constantFrom(
  'PRAGMA recursive_triggers = OFF',
  'PRAGMA recursive_triggers = ON',
  'PRAGMA foreign_keys = OFF',
  'PRAGMA foreign_keys = ON',
);

/** Either one pragma, or some changes in one transaction. */
const step = fc.oneof(
  { weight: 1, arbitrary: pragma.map((statement) => ({ pragma: statement, changes: [] })) },
  {
    weight: 6,
    arbitrary: fc
      .array(changeStatements('sqlite'), { minLength: 1, maxLength: 3 })
      .map((some) => ({ pragma: null, changes: ['PRAGMA defer_foreign_keys = ON', ...some] })),
  },
);

/** Hashes that the database currently records as revoked or retired. */
function revokedHashes({ database }: SqliteFixture): string[] {
  const rows = database.reader
    .prepare(
      `SELECT hex(hash) AS hash FROM dead_hash UNION
       SELECT hex(s.hash) FROM api_key_secret s JOIN api_key k ON k.id = s.key_id
       JOIN workspace w ON w.id = k.workspace_id
       WHERE coalesce(k.revoked_at, s.retired_at, w.revoking_at) IS NOT NULL`,
    )
    .all();
  return z
    .array(z.object({ hash: z.string() }))
    .parse(rows)
    .map(({ hash }) => `x'${hash.toLowerCase()}'`);
}

interface Step {
  pragma: string | null;
  changes: string[];
}

/** @returns whether the database executed the step */
async function execute(fixture: SqliteFixture, { pragma: setting, changes }: Step): Promise<boolean> {
  if (setting !== null) await fixture.pragma(setting);
  return fixture.attack(changes.map((statement) => fillPlaceholders(statement, fixture, "x'00'"))).then(
    () => true,
    () => false,
  );
}

test('no sequence of INSERT, UPDATE, DELETE and REPLACE makes a verifier accept a revoked key', async () => {
  const outcomes: boolean[] = [];
  const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
    const fixture = await template.open();
    const revoked = new Set(revokedHashes(fixture));
    try {
      for (const one of steps) {
        outcomes.push(await execute(fixture, one));
        for (const hash of revokedHashes(fixture)) revoked.add(hash);
        const keys = [...fixture.revoked, ...fixture.active].filter((key) => revoked.has(key.hashSql));
        for (const key of keys) assert.notEqual(await fixture.verify(key.apiKey), 'accepted');
      }
    } finally {
      await fixture.close();
    }
  });
  await fc.assert(property, { numRuns: runCount(30, 4000) });
  const executed = outcomes.filter(Boolean).length;
  assert.ok(executed > outcomes.length / 10, `only ${executed} of ${outcomes.length} steps were executed`);
});
