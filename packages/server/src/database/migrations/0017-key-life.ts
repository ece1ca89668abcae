import { type Kysely, type Migration, sql } from 'kysely';
import { columnTypes, isPostgres } from '../dialect.ts';

/**
 * A new ID of a secret: 26 hexadecimal digits, which are also digits of an ID. Insertions that name no ID get one, such as
 * those of a server of the previous version during a rolling upgrade.
 */
const newSecretId = {
  postgres: sql`'sec_' || left(replace(gen_random_uuid()::text, '-', ''), 26)`,
  sqlite: sql`'sec_' || lower(hex(randomblob(13)))`,
};

async function keys(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('api_key')
    .addColumn('environment', 'text', (column) => column.notNull().defaultTo('live'))
    .execute();
  await db.schema
    .alterTable('api_key')
    .addColumn('allowed_addresses', 'text', (column) => column.notNull().defaultTo(''))
    .execute();
  await db.schema.alterTable('api_key').addColumn('disabled_at', 'bigint').execute();
  for (const column of ['external_id', 'metadata', 'revoked_reason']) {
    await db.schema.alterTable('api_key').addColumn(column, 'text').execute();
  }
  await db.schema
    .createIndex('api_key_external_id')
    .on('api_key')
    .columns(['workspace_id', 'external_id'])
    .where(sql<boolean>`external_id IS NOT NULL`)
    .execute();
}

/** The reason is protected like the other columns of a revocation. */
const revokedStaysRevoked = {
  postgres: [
    'DROP TRIGGER api_key_dead ON api_key',
    `CREATE TRIGGER api_key_dead BEFORE UPDATE ON api_key FOR EACH ROW
     WHEN (OLD.revoked_at IS NOT NULL AND (NEW.revoked_at IS DISTINCT FROM OLD.revoked_at
       OR NEW.revoked_by IS DISTINCT FROM OLD.revoked_by
       OR NEW.revoked_reason IS DISTINCT FROM OLD.revoked_reason))
     EXECUTE FUNCTION soku_refuse('a revoked key stays revoked')`,
    'ALTER TABLE api_key ENABLE ALWAYS TRIGGER api_key_dead',
  ],
  sqlite: [
    'DROP TRIGGER api_key_dead',
    `CREATE TRIGGER api_key_dead BEFORE UPDATE ON api_key
     WHEN OLD.revoked_at IS NOT NULL AND (NEW.revoked_at IS NOT OLD.revoked_at
       OR NEW.revoked_by IS NOT OLD.revoked_by OR NEW.revoked_reason IS NOT OLD.revoked_reason)
     BEGIN SELECT RAISE(ABORT, 'soku: a revoked key stays revoked'); END`,
  ],
};

/** A workspace stays marked until its last key is revoked, so that no statement makes the others valid again. */
const markStays = {
  postgres: [
    `CREATE FUNCTION soku_keep_mark() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       IF EXISTS (SELECT 1 FROM api_key WHERE workspace_id = NEW.id AND revoked_at IS NULL) THEN
         RAISE EXCEPTION 'soku: the keys of this workspace are being revoked' USING ERRCODE = 'integrity_constraint_violation';
       END IF;
       RETURN NEW;
     END $$`,
    `CREATE TRIGGER workspace_stays_marked BEFORE UPDATE ON workspace FOR EACH ROW
     WHEN (OLD.revoking_at IS NOT NULL AND NEW.revoking_at IS DISTINCT FROM OLD.revoking_at)
     EXECUTE FUNCTION soku_keep_mark()`,
    'ALTER TABLE workspace ENABLE ALWAYS TRIGGER workspace_stays_marked',
  ],
  sqlite: [
    `CREATE TRIGGER workspace_stays_marked BEFORE UPDATE ON workspace
     WHEN OLD.revoking_at IS NOT NULL AND NEW.revoking_at IS NOT OLD.revoking_at
       AND EXISTS (SELECT 1 FROM api_key WHERE workspace_id = NEW.id AND revoked_at IS NULL)
     BEGIN SELECT RAISE(ABORT, 'soku: the keys of this workspace are being revoked'); END`,
  ],
};

async function revocations(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('workspace').addColumn('revoking_at', 'bigint').execute();
  for (const column of ['revoking_by', 'revoking_reason']) {
    await db.schema.alterTable('workspace').addColumn(column, 'text').execute();
  }
  await db.schema
    .createIndex('workspace_revoking')
    .on('workspace')
    .column('id')
    .where(sql<boolean>`revoking_at IS NOT NULL`)
    .execute();
  const which = isPostgres(db) ? 'postgres' : 'sqlite';
  const statements = [...revokedStaysRevoked[which], ...markStays[which]];
  for (const statement of statements) await sql.raw(statement).execute(db);
}

async function secrets(db: Kysely<unknown>): Promise<void> {
  if (isPostgres(db)) {
    // A default that is not constant rewrites the table, but fires no trigger: nothing is published.
    await sql`ALTER TABLE api_key_secret ADD COLUMN id text COLLATE "C" NOT NULL DEFAULT ${newSecretId.postgres}`.execute(
      db,
    );
  } else {
    await sql`ALTER TABLE api_key_secret ADD COLUMN id text NOT NULL DEFAULT ''`.execute(db);
    await sql`UPDATE api_key_secret SET id = ${newSecretId.sqlite}`.execute(db);
    // SQLite cannot add a column with such a default.
    await sql`
      CREATE TRIGGER api_key_secret_named AFTER INSERT ON api_key_secret WHEN NEW.id = ''
      BEGIN UPDATE api_key_secret SET id = ${newSecretId.sqlite} WHERE hash = NEW.hash; END`.execute(db);
  }
  await db.schema.alterTable('api_key_secret').addColumn('grace_ms', 'bigint').execute();
  // For the search for secrets that have lapsed.
  await db.schema
    .createIndex('api_key_secret_retires')
    .on('api_key_secret')
    .column('retires_at')
    .where(sql<boolean>`retires_at IS NOT NULL AND retired_at IS NULL`)
    .execute();
  // For keys with many retired secrets. Each read of a key or a secret looks for these two, and usually finds few or none.
  await db.schema
    .createIndex('api_key_secret_unretired')
    .on('api_key_secret')
    .column('key_id')
    .where(sql<boolean>`retired_at IS NULL`)
    .execute();
  await db.schema
    .createIndex('api_key_secret_grace')
    .on('api_key_secret')
    .columns(['key_id', 'created_at'])
    .where(sql<boolean>`grace_ms IS NOT NULL`)
    .execute();
}

async function scopes(db: Kysely<unknown>): Promise<void> {
  const { clustered } = columnTypes(db);
  await db.schema
    .createTable('scope')
    .addColumn('workspace_id', 'text', (column) => column.notNull().references('workspace.id'))
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('scope_name', ['workspace_id', 'name'])
    .modifyEnd(clustered)
    .execute();
}

async function endedUses(db: Kysely<unknown>): Promise<void> {
  const { clustered, ordered } = columnTypes(db);
  await db.schema
    .createTable('ended_use')
    .addColumn('day', 'bigint', (column) => column.notNull())
    .addColumn('key_id', ordered, (column) => column.notNull().references('api_key.id'))
    .addPrimaryKeyConstraint('ended_use_day', ['day', 'key_id'])
    .modifyEnd(clustered)
    .execute();
  await db.schema.createIndex('ended_use_key').on('ended_use').column('key_id').execute();
}

/** Calls that concern several keys can have an Idempotency-Key, too. */
async function idempotency(db: Kysely<unknown>): Promise<void> {
  if (isPostgres(db)) {
    await sql`ALTER TABLE idempotency ALTER COLUMN key_id DROP NOT NULL`.execute(db);
    return;
  }
  await sql`ALTER TABLE idempotency RENAME TO idempotency_before`.execute(db);
  await sql`DROP INDEX idempotency_created`.execute(db);
  await sql`DROP INDEX idempotency_api_key`.execute(db);
  await db.schema
    .createTable('idempotency')
    .addColumn('workspace_id', 'text', (column) => column.notNull().references('workspace.id'))
    .addColumn('token_hash', 'blob', (column) => column.notNull())
    .addColumn('key_id', 'text', (column) => column.references('api_key.id'))
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('idempotency_key', ['workspace_id', 'token_hash'])
    .modifyEnd(sql`without rowid`)
    .execute();
  await sql`INSERT INTO idempotency SELECT workspace_id, token_hash, key_id, created_at FROM idempotency_before`.execute(
    db,
  );
  await db.schema.dropTable('idempotency_before').execute();
  await db.schema.createIndex('idempotency_created').on('idempotency').column('created_at').execute();
  await db.schema.createIndex('idempotency_api_key').on('idempotency').column('key_id').execute();
}

/** Rotation, disabling, scopes of the operator's own API, address lists, environments and metadata of keys. */
export const keyLife: Migration = {
  async up(db: Kysely<unknown>) {
    await keys(db);
    await revocations(db);
    await secrets(db);
    await scopes(db);
    await endedUses(db);
    await idempotency(db);
    await db.schema.alterTable('workspace').addColumn('max_key_lifetime', 'bigint').execute();
  },
};
