import { type Kysely, type Migration, sql } from 'kysely';
import { binaryCollation, columnTypes, isPostgres } from '../dialect.ts';

/** The preview of the newest secret of a key, as packages/key formats it. The table of keys is `k`. */
const newestPreview = `(
  SELECT s.prefix || s.preview_start || '...' || s.preview_end FROM api_key_secret s
  WHERE s.key_id = k.id ORDER BY s.created_at DESC, s.hash DESC LIMIT 1)`;

/**
 * `key_preview` follows each new secret: of this server, of one of the previous version during a rolling upgrade, or of
 * an import, which may write secrets in any order. A copy writes `key_preview` first, so a row may exist already.
 */
const setPreview = `
  INSERT INTO key_preview (key_id, workspace_id, preview)
  SELECT k.id, k.workspace_id, ${newestPreview} FROM api_key k WHERE k.id = NEW.key_id
  ON CONFLICT (key_id) DO UPDATE SET preview = excluded.preview`;

const sqliteTriggers = [
  `CREATE TRIGGER api_key_secret_preview AFTER INSERT ON api_key_secret BEGIN ${setPreview}; END`,
];

const postgresTriggers = [
  `CREATE FUNCTION soku_set_key_preview() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     ${setPreview};
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER api_key_secret_preview AFTER INSERT ON api_key_secret
   FOR EACH ROW EXECUTE FUNCTION soku_set_key_preview()`,
];

/** The shown preview of each key, in an index that has the order of a list. */
async function keyPreviews(db: Kysely<unknown>): Promise<void> {
  const { clustered, ordered } = columnTypes(db);
  await db.schema
    .createTable('key_preview')
    .addColumn('key_id', ordered, (column) => column.primaryKey().notNull())
    .addColumn('workspace_id', 'text', (column) => column.notNull().references('workspace.id'))
    .addColumn('preview', ordered, (column) => column.notNull())
    .addForeignKeyConstraint('key_preview_key', ['key_id'], 'api_key', ['id'], (constraint) =>
      constraint.deferrable().initiallyDeferred(),
    )
    .modifyEnd(clustered)
    .execute();
  // Before the rows, because PostgreSQL cannot index a table whose deferred constraints have not been checked.
  await db.schema
    .createIndex('key_preview_order')
    .on('key_preview')
    .columns(['workspace_id', 'preview', 'key_id'])
    .execute();
  await sql`
    INSERT INTO key_preview (key_id, workspace_id, preview)
    SELECT k.id, k.workspace_id, ${sql.raw(newestPreview)} FROM api_key k
    WHERE EXISTS (SELECT 1 FROM api_key_secret s WHERE s.key_id = k.id) ORDER BY k.id`.execute(db);
  for (const statement of isPostgres(db) ? postgresTriggers : sqliteTriggers) {
    await sql.raw(statement).execute(db);
  }
}

/**
 * Each index of a search by preview has all columns that the search compares, and the id that it returns. So a search
 * reads neither the table nor, for each key, whether it has a fitting secret.
 */
async function searches(db: Kysely<unknown>): Promise<void> {
  const folded = (column: string) => sql`(lower(${sql.ref(column)} ${binaryCollation(isPostgres(db))}))`;
  const [start, end] = [folded('preview_start'), folded('preview_end')];
  for (const [name, columns] of [
    ['api_key_secret_preview_start', [start, sql.ref('prefix'), end, sql.ref('key_id')]],
    ['api_key_secret_preview_end', [end, sql.ref('prefix'), start, sql.ref('key_id')]],
    ['api_key_secret_prefix', [sql.ref('prefix'), start, end, sql.ref('key_id')]],
  ] as const) {
    if (!isPostgres(db)) await sql`DROP INDEX IF EXISTS ${sql.ref(name)}`.execute(db);
    const newName = sql.ref(isPostgres(db) ? `${name}_new` : name);
    await sql`CREATE INDEX ${newName} ON api_key_secret (${sql.join(columns)})`.execute(db);
  }
}

/**
 * Replaces the old indexes on PostgreSQL, at the end: dropping one blocks reads of secrets by servers of the previous
 * version until the transaction ends.
 */
async function replaceIndexes(db: Kysely<unknown>): Promise<void> {
  if (!isPostgres(db)) return;
  // What COMMIT would check.
  await sql`SET CONSTRAINTS ALL IMMEDIATE`.execute(db);
  for (const name of [
    'api_key_secret_preview_start',
    'api_key_secret_preview_end',
    'api_key_secret_prefix',
  ]) {
    await sql`DROP INDEX IF EXISTS ${sql.ref(name)}`.execute(db);
    await sql`ALTER INDEX ${sql.ref(`${name}_new`)} RENAME TO ${sql.ref(name)}`.execute(db);
  }
}

/** Lists that are sorted by preview, and fast searches by a short part of a preview. */
export const previews: Migration = {
  async up(db: Kysely<unknown>) {
    await keyPreviews(db);
    await searches(db);
    await replaceIndexes(db);
  },
};
