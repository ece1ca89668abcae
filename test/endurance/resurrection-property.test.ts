import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { times } from '../support/long.ts';
import { changes, named } from './attack-statements.ts';
import { digGraves, type Graveyard } from './graveyard.ts';

const graves = await digGraves();
after(() => graves.close());

const pragma = fc.constantFrom(
  'PRAGMA recursive_triggers = OFF',
  'PRAGMA recursive_triggers = ON',
  'PRAGMA foreign_keys = OFF',
  'PRAGMA foreign_keys = ON',
);

/** Either a pragma alone, or some changes in one transaction. */
const step = fc.oneof(
  { weight: 1, arbitrary: pragma.map((statement) => ({ pragma: statement, changes: [] })) },
  {
    weight: 6,
    arbitrary: fc
      .array(changes('sqlite'), { minLength: 1, maxLength: 3 })
      .map((some) => ({ pragma: null, changes: ['PRAGMA defer_foreign_keys = ON', ...some] })),
  },
);

/** Hashes that the database has called dead, in either way. */
function deadNow({ database }: Graveyard): string[] {
  const rows = database.reader
    .prepare(
      `SELECT hex(hash) AS hash FROM dead_hash UNION
       SELECT hex(s.hash) FROM api_key_secret s JOIN api_key k ON k.id = s.key_id
       WHERE k.revoked_at IS NOT NULL OR s.retired_at IS NOT NULL`,
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

/** @returns whether the database carried the step out */
async function carryOut(graveyard: Graveyard, { pragma: setting, changes }: Step): Promise<boolean> {
  if (setting !== null) await graveyard.pragma(setting);
  return graveyard.attack(changes.map((statement) => named(statement, graveyard, "x'00'"))).then(
    () => true,
    () => false,
  );
}

test('no sequence of INSERT, UPDATE, DELETE and REPLACE makes a verifier accept a key that was dead', async () => {
  const outcomes: boolean[] = [];
  const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
    const graveyard = await graves.open();
    const dead = new Set(deadNow(graveyard));
    try {
      for (const one of steps) {
        outcomes.push(await carryOut(graveyard, one));
        for (const hash of deadNow(graveyard)) dead.add(hash);
        const keys = [...graveyard.dead, ...graveyard.living].filter((key) => dead.has(key.hashSql));
        for (const key of keys) assert.notEqual(await graveyard.verify(key.apiKey), 'accepted');
      }
    } finally {
      await graveyard.close();
    }
  });
  await fc.assert(property, { numRuns: times(30, 4000) });
  const carriedOut = outcomes.filter(Boolean).length;
  assert.ok(carriedOut > outcomes.length / 10, `only ${carriedOut} of ${outcomes.length} were carried out`);
});
