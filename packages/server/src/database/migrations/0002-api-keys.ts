import { type Kysely, type Migration, type SqlBool, sql } from 'kysely';
import { columnTypes, isPostgres } from '../dialect.ts';
import { postgresTriggers } from './0002-triggers-postgres.ts';
import { sqliteTriggers } from './0002-triggers-sqlite.ts';

async function tables(db: Kysely<unknown>): Promise<void> {
  const { bytes, clustered, ordered } = columnTypes(db);
  await db.schema
    .createTable('api_key')
    .addColumn('id', ordered, (column) => column.primaryKey().notNull())
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
  // For the key list and the count of active keys, however many revoked ones a workspace has.
  await db.schema
    .createIndex('api_key_living')
    .on('api_key')
    .columns(['workspace_id', 'id', 'expires_at'])
    .where(sql<SqlBool>`revoked_at IS NULL`)
    .execute();
  await db.schema
    .createTable('api_key_secret')
    .addColumn('hash', bytes, (column) => column.primaryKey().notNull())
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
    .addColumn('hash', bytes, (column) => column.primaryKey().notNull())
    .modifyEnd(clustered)
    .execute();
  await db.schema
    .createTable('idempotency')
    .addColumn('workspace_id', 'text', (column) => column.notNull().references('workspace.id'))
    .addColumn('token_hash', bytes, (column) => column.notNull())
    .addColumn('key_id', 'text', (column) => column.notNull().references('api_key.id'))
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('idempotency_key', ['workspace_id', 'token_hash'])
    .modifyEnd(clustered)
    .execute();
  await db.schema.createIndex('idempotency_created').on('idempotency').column('created_at').execute();
  await db.schema.createIndex('idempotency_api_key').on('idempotency').column('key_id').execute();
}

export const apiKeys: Migration = {
  async up(db) {
    await tables(db);
    const triggers = isPostgres(db) ? postgresTriggers : sqliteTriggers;
    for (const trigger of triggers) await sql.raw(trigger).execute(db);
  },
};
