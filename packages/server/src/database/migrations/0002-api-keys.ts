import { type Kysely, type Migration, type SqlBool, sql } from 'kysely';

/**
 * Rows lie in the index of their primary key: a look-up by hash is one search in place of two. It also closes
 * a way round the triggers below, because a table without rowids cannot be hit by REPLACE through a rowid.
 */
const clustered = sql`without rowid`;

async function tables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('api_key')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('workspace_id', 'text', (column) => column.notNull().references('workspace.id'))
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('name_folded', 'text', (column) => column.notNull())
    .addColumn('scopes', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('revoked_at', 'bigint')
    .addColumn('revoked_by', 'text')
    .modifyEnd(clustered)
    .execute();
  await db.schema.createIndex('api_key_workspace').on('api_key').columns(['workspace_id', 'id']).execute();
  // For the list that people look at and the count of active keys, however many dead ones a workspace has.
  await db.schema
    .createIndex('api_key_living')
    .on('api_key')
    .columns(['workspace_id', 'id', 'expires_at'])
    .where(sql<SqlBool>`revoked_at IS NULL`)
    .execute();
  await db.schema
    .createTable('api_key_secret')
    .addColumn('hash', 'blob', (column) => column.primaryKey().notNull())
    .addColumn('key_id', 'text', (column) => column.notNull().references('api_key.id'))
    .addColumn('prefix', 'text', (column) => column.notNull())
    .addColumn('preview_start', 'text', (column) => column.notNull())
    .addColumn('preview_end', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .modifyEnd(clustered)
    .execute();
  await db.schema
    .createIndex('api_key_secret_key')
    .on('api_key_secret')
    .columns(['key_id', 'created_at'])
    .execute();
  await db.schema
    .createTable('dead_hash')
    .addColumn('hash', 'blob', (column) => column.primaryKey().notNull())
    .modifyEnd(clustered)
    .execute();
  await db.schema
    .createTable('idempotency')
    .addColumn('workspace_id', 'text', (column) => column.notNull().references('workspace.id'))
    .addColumn('token_hash', 'blob', (column) => column.notNull())
    .addColumn('key_id', 'text', (column) => column.notNull().references('api_key.id'))
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('idempotency_key', ['workspace_id', 'token_hash'])
    .modifyEnd(clustered)
    .execute();
  await db.schema.createIndex('idempotency_created').on('idempotency').column('created_at').execute();
  await db.schema.createIndex('idempotency_api_key').on('idempotency').column('key_id').execute();
}

/**
 * The database itself holds the promise that a revoked key stays dead: a bug or a hand in SQL meets these.
 * The BEFORE INSERT triggers matter as much as the others: INSERT OR REPLACE deletes the old row without
 * firing delete triggers unless recursive_triggers is on, and a pragma is not something to bet this on.
 */
const triggers = [
  `CREATE TRIGGER api_key_identity BEFORE UPDATE ON api_key
   WHEN NEW.id IS NOT OLD.id OR NEW.workspace_id IS NOT OLD.workspace_id
   BEGIN SELECT RAISE(ABORT, 'soku: a key keeps its id and its workspace'); END`,
  `CREATE TRIGGER api_key_dead BEFORE UPDATE ON api_key
   WHEN OLD.revoked_at IS NOT NULL
     AND (NEW.revoked_at IS NOT OLD.revoked_at OR NEW.revoked_by IS NOT OLD.revoked_by)
   BEGIN SELECT RAISE(ABORT, 'soku: a revoked key stays revoked'); END`,
  `CREATE TRIGGER api_key_kept BEFORE DELETE ON api_key
   BEGIN SELECT RAISE(ABORT, 'soku: keys are revoked, never deleted'); END`,
  `CREATE TRIGGER api_key_not_replaced BEFORE INSERT ON api_key
   WHEN EXISTS (SELECT 1 FROM api_key WHERE id = NEW.id)
   BEGIN SELECT RAISE(ABORT, 'soku: a key is not replaced'); END`,
  `CREATE TRIGGER api_key_buried AFTER UPDATE OF revoked_at ON api_key
   WHEN OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL
   BEGIN INSERT OR IGNORE INTO dead_hash (hash) SELECT hash FROM api_key_secret WHERE key_id = NEW.id; END`,
  `CREATE TRIGGER api_key_secret_identity BEFORE UPDATE ON api_key_secret
   WHEN NEW.hash IS NOT OLD.hash OR NEW.key_id IS NOT OLD.key_id
   BEGIN SELECT RAISE(ABORT, 'soku: a secret keeps its hash and its key'); END`,
  `CREATE TRIGGER api_key_secret_kept BEFORE DELETE ON api_key_secret
   BEGIN SELECT RAISE(ABORT, 'soku: secrets are never deleted'); END`,
  `CREATE TRIGGER api_key_secret_not_replaced BEFORE INSERT ON api_key_secret
   WHEN EXISTS (SELECT 1 FROM api_key_secret WHERE hash = NEW.hash)
     OR EXISTS (SELECT 1 FROM dead_hash WHERE hash = NEW.hash)
   BEGIN SELECT RAISE(ABORT, 'soku: this hash was used before'); END`,
  `CREATE TRIGGER dead_hash_changed BEFORE UPDATE ON dead_hash
   BEGIN SELECT RAISE(ABORT, 'soku: a dead hash stays dead'); END`,
  `CREATE TRIGGER dead_hash_removed BEFORE DELETE ON dead_hash
   BEGIN SELECT RAISE(ABORT, 'soku: a dead hash stays dead'); END`,
];

export const apiKeys: Migration = {
  async up(db) {
    await tables(db);
    for (const trigger of triggers) await sql.raw(trigger).execute(db);
  },
};
