import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { digGraves, type Graveyard } from './graveyard.ts';

const graves = await digGraves();
after(() => graves.close());

/** Columns of the three tables that decide about life and death. */
const tables = {
  api_key: [
    'id',
    'workspace_id',
    'created_by',
    'name',
    'name_folded',
    'scopes',
    'expires_at',
    'created_at',
  ].concat('revoked_at', 'revoked_by'),
  api_key_secret: ['hash', 'key_id', 'prefix', 'preview_start', 'preview_end', 'created_at'],
  dead_hash: ['hash'],
};
type Table = keyof typeof tables;
const tableNames: readonly Table[] = ['api_key', 'api_key_secret', 'dead_hash'];

const ids = ['{dead0}', '{dead1}', '{living0}', '{living1}', "'key_new'"];
const hashes = ['{deadHash0}', '{deadHash1}', '{livingHash0}', '{livingHash1}', "x'00'"];

/** A value that fits the column, most of the time. */
function fittingValue(column: string): fc.Arbitrary<string> {
  const odd = fc.constantFrom('NULL', '0', "''", "x''", '1e999', '-1', ...ids, ...hashes);
  const fitting: Record<string, readonly string[]> = {
    id: ids,
    key_id: ids,
    hash: hashes,
    workspace_id: ["'ws_a'", "'ws_b'"],
    revoked_at: ['NULL', '1', '1700000000000'],
    expires_at: ['NULL', '9999999999999'],
    scopes: ["''", "'keys:read'"],
  };
  return fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...(fitting[column] ?? ["'usr_1'", "'text'", '1'])) },
    { weight: 1, arbitrary: odd },
  );
}

const conflict = fc.constantFrom('', '', 'OR REPLACE', 'OR IGNORE', 'OR FAIL', 'OR ROLLBACK');

function assignments(table: Table): fc.Arbitrary<string> {
  return fc
    .subarray(tables[table], { minLength: 1, maxLength: Math.min(3, tables[table].length) })
    .chain((columns) =>
      fc.tuple(...columns.map((column) => fittingValue(column).map((value) => `${column} = ${value}`))),
    )
    .map((parts) => parts.join(', '));
}

function where(table: Table): fc.Arbitrary<string> {
  const row = fc
    .constantFrom(
      ...(table === 'api_key' ? ['id'] : table === 'api_key_secret' ? ['hash', 'key_id'] : ['hash']),
    )
    .chain((column) => fittingValue(column).map((value) => ` WHERE ${column} = ${value}`));
  return fc.oneof({ weight: 4, arbitrary: row }, { weight: 1, arbitrary: fc.constant('') });
}

function insert(table: Table): fc.Arbitrary<string> {
  const columns = tables[table];
  const upsert = fc.oneof(
    { weight: 3, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: assignments(table).map((set) => ` ON CONFLICT DO UPDATE SET ${set}`) },
  );
  return fc
    .tuple(conflict, fc.tuple(...columns.map(fittingValue)), upsert)
    .map(
      ([or, values, then]) =>
        `INSERT ${or} INTO ${table} (${columns.join(', ')}) VALUES (${values.join(', ')})${then}`,
    );
}

/** Copies a row, with some columns changed: what a careless import or a merge of two databases does. */
function copy(table: Table): fc.Arbitrary<string> {
  const columns = tables[table];
  return fc
    .tuple(
      conflict,
      fc.tuple(...columns.map((column) => fc.option(fittingValue(column), { freq: 3 }))),
      where(table),
    )
    .map(
      ([or, values, rows]) =>
        `INSERT ${or} INTO ${table} (${columns.join(', ')}) SELECT ${columns.map((column, i) => values[i] ?? column).join(', ')} FROM ${table}${rows}`,
    );
}

const change: fc.Arbitrary<string> = fc.constantFrom(...tableNames).chain((table) =>
  fc.oneof(
    fc
      .tuple(conflict, assignments(table), where(table))
      .map(([or, set, rows]) => `UPDATE ${or} ${table} SET ${set}${rows}`),
    where(table).map((rows) => `DELETE FROM ${table}${rows}`),
    insert(table),
    copy(table),
  ),
);

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
      .array(change, { minLength: 1, maxLength: 3 })
      .map((changes) => ({ pragma: null, changes: ['PRAGMA defer_foreign_keys = ON', ...changes] })),
  },
);

/** Puts the ids and hashes of this database in place of their names. */
function named(statement: string, { dead, living }: Graveyard): string {
  return statement.replace(
    /\{(dead|living)(Hash)?([01])\}/g,
    (_, kind: string, hash: string | undefined, i: string) => {
      const key = (kind === 'dead' ? dead : living)[i === '0' ? 0 : 1];
      return hash === undefined ? `'${key.id}'` : key.hashSql;
    },
  );
}

/** Hashes that the database has called dead, in either way. */
function deadNow({ database }: Graveyard): string[] {
  const rows = database.reader
    .prepare(
      `SELECT hex(hash) AS hash FROM dead_hash UNION
       SELECT hex(s.hash) FROM api_key_secret s JOIN api_key k ON k.id = s.key_id WHERE k.revoked_at IS NOT NULL`,
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
  return graveyard.attack(changes.map((statement) => named(statement, graveyard))).then(
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
  await fc.assert(property, { numRuns: 400 });
  const carriedOut = outcomes.filter(Boolean).length;
  assert.ok(carriedOut > outcomes.length / 10, `only ${carriedOut} of ${outcomes.length} were carried out`);
});
