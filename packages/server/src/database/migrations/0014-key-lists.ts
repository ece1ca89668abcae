import { msPerHour } from '@soku/contract/instant';
import { type Kysely, type Migration, type SqlBool, sql } from 'kysely';
import { binaryCollation, columnTypes, isPostgres } from '../dialect.ts';

/** ms. Part of the triggers below; usage/hours.ts has the same number. */
const step = 300_000;

/** How many hours of usage get totals: those that GET /v1/usage can return. */
const hoursWithTotals = 50;

/**
 * `key_use` follows every change of `last_use`: by this server, by one of the previous version during a rolling upgrade,
 * or by an import. A copy writes `key_use` before `api_key`, so a row may exist already.
 */
const sqliteTriggers = [
  `CREATE TRIGGER api_key_use AFTER INSERT ON api_key
   BEGIN INSERT OR IGNORE INTO key_use (key_id, workspace_id) VALUES (NEW.id, NEW.workspace_id); END`,
  ...[
    'last_use_added AFTER INSERT ON last_use',
    `last_use_moved AFTER UPDATE ON last_use WHEN NEW.at / ${step} > OLD.at / ${step}`,
  ].map(
    (event) => `CREATE TRIGGER ${event}
   BEGIN UPDATE key_use SET used_at = NEW.at - NEW.at % ${step}
     WHERE key_id = NEW.key_id AND coalesce(used_at, -1) < NEW.at - NEW.at % ${step}; END`,
  ),
];

const postgresTriggers = [
  `CREATE FUNCTION soku_add_key_use() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     INSERT INTO key_use (key_id, workspace_id) VALUES (NEW.id, NEW.workspace_id) ON CONFLICT DO NOTHING;
     RETURN NULL;
   END $$`,
  `CREATE FUNCTION soku_move_key_use() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     UPDATE key_use SET used_at = NEW.at - NEW.at % ${step}
     WHERE key_id = NEW.key_id AND coalesce(used_at, -1) < NEW.at - NEW.at % ${step};
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER api_key_use AFTER INSERT ON api_key FOR EACH ROW EXECUTE FUNCTION soku_add_key_use()`,
  `CREATE TRIGGER last_use_added AFTER INSERT ON last_use FOR EACH ROW EXECUTE FUNCTION soku_move_key_use()`,
  // Each write of usage changes last_use, so most changes must not call a function.
  `CREATE TRIGGER last_use_moved AFTER UPDATE ON last_use
   FOR EACH ROW WHEN (NEW.at / ${step} > OLD.at / ${step}) EXECUTE FUNCTION soku_move_key_use()`,
];

/** The last use of each key, to five minutes, in an index that changes at most once in that time. */
async function keyUse(db: Kysely<unknown>): Promise<void> {
  const { clustered, ordered } = columnTypes(db);
  await db.schema
    .createTable('key_use')
    .addColumn('key_id', ordered, (column) => column.primaryKey().notNull())
    .addColumn('workspace_id', 'text', (column) => column.notNull().references('workspace.id'))
    .addColumn('used_at', 'bigint')
    .addForeignKeyConstraint('key_use_key', ['key_id'], 'api_key', ['id'], (constraint) =>
      constraint.deferrable().initiallyDeferred(),
    )
    .modifyEnd(clustered)
    .execute();
  // Before the rows, because PostgreSQL cannot index a table whose deferred constraints have not been checked.
  await db.schema
    .createIndex('key_use_order')
    .on('key_use')
    .columns(['workspace_id', 'used_at', 'key_id'])
    .execute();
  // On SQLite, last_at can be later than `at` in the same hour.
  await sql`
    INSERT INTO key_use (key_id, workspace_id, used_at)
    SELECT k.id, k.workspace_id, u.at - u.at % ${sql.lit(step)}
    FROM api_key k LEFT JOIN (
      SELECT l.key_id, max(coalesce(h.last_at, l.at)) AS at
      FROM last_use l LEFT JOIN usage_hour h
        ON h.hour = l.at / ${sql.lit(msPerHour)} AND h.key_id = l.key_id AND h.hash = l.hash
      GROUP BY l.key_id
    ) u ON u.key_id = k.id
    ORDER BY k.id`.execute(db);
  for (const statement of isPostgres(db) ? postgresTriggers : sqliteTriggers) {
    await sql.raw(statement).execute(db);
  }
}

/**
 * On SQLite, the index in the order of creation has all columns that filters compare: a list that must look at all keys
 * of a workspace then reads only this index. PostgreSQL would have to read the table as well.
 */
async function indexes(db: Kysely<unknown>): Promise<void> {
  const postgres = isPostgres(db);
  if (!postgres) {
    await db.schema.dropIndex('api_key_workspace').execute();
    await db.schema
      .createIndex('api_key_workspace')
      .on('api_key')
      .columns([
        'workspace_id',
        'id',
        'revoked_at',
        'expires_at',
        'created_at',
        'created_by',
        'name_folded',
        'scopes',
      ])
      .execute();
  }
  const name = sql`(${sql.ref('name_folded')} ${binaryCollation(postgres)})`;
  await sql`CREATE INDEX api_key_name ON api_key (workspace_id, ${postgres ? name : sql.ref('name_folded')}, id)`.execute(
    db,
  );
  await db.schema
    .createIndex('api_key_expiry')
    .on('api_key')
    .columns(['workspace_id', 'expires_at', 'id'])
    .execute();
  await db.schema
    .createIndex('api_key_revoked')
    .on('api_key')
    .columns(['workspace_id', 'id'])
    .where(sql<SqlBool>`revoked_at IS NOT NULL`)
    .execute();
}

/** Requests of workspaces, and rejections by code. Both are clustered by the hour, in the order of their writes. */
async function totals(db: Kysely<unknown>): Promise<void> {
  const { clustered } = columnTypes(db);
  await db.schema
    .createTable('usage_total')
    .addColumn('hour', 'integer', (column) => column.notNull())
    .addColumn('workspace_id', 'text', (column) => column.notNull().references('workspace.id'))
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('requests', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('usage_total_key', ['hour', 'workspace_id', 'outcome'])
    .modifyEnd(clustered)
    .execute();
  await db.schema
    .createTable('usage_refusal')
    .addColumn('hour', 'integer', (column) => column.notNull())
    .addColumn('workspace_id', 'text', (column) => column.notNull().references('workspace.id'))
    .addColumn('key_id', 'text', (column) => column.notNull().references('api_key.id'))
    .addColumn('code', 'text', (column) => column.notNull())
    .addColumn('requests', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('usage_refusal_key', ['hour', 'workspace_id', 'key_id', 'code'])
    .modifyEnd(clustered)
    .execute();
  const since = Math.floor(Date.now() / msPerHour) - hoursWithTotals;
  await sql`
    INSERT INTO usage_refusal (hour, workspace_id, key_id, code, requests)
    SELECT h.hour, k.workspace_id, h.key_id, 'other', sum(h.refused)
    FROM usage_hour h JOIN api_key k ON k.id = h.key_id
    WHERE h.hour >= ${since} AND h.refused > 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`.execute(db);
  await sql`
    INSERT INTO usage_total (hour, workspace_id, outcome, requests)
    SELECT h.hour, k.workspace_id, 'accepted', sum(h.accepted)
    FROM usage_hour h JOIN api_key k ON k.id = h.key_id
    WHERE h.hour >= ${since} AND h.accepted > 0 GROUP BY 1, 2 ORDER BY 1, 2`.execute(db);
  await sql`
    INSERT INTO usage_total (hour, workspace_id, outcome, requests)
    SELECT hour, workspace_id, code, sum(requests) FROM usage_refusal GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`.execute(
    db,
  );
}

/** Sorted and filtered lists of many keys, and the usage of a workspace. */
export const keyLists: Migration = {
  async up(db: Kysely<unknown>) {
    await indexes(db);
    await keyUse(db);
    await totals(db);
  },
};
