import type pg from 'pg';
import { z } from 'zod';
import expected from './expected/postgres.json' with { type: 'json' };
import { parseSnapshot, requireExpected, type SchemaObjects, tablesOf } from './schema-objects.ts';

/**
 * Every object of the tables $1 that can change the effect of Soku's statements, with its definition. Tables are
 * resolved by search_path, as in these statements. Definitions are as PostgreSQL prints them, shortened by search_path.
 *
 * Event triggers are omitted: they fire on DDL, which only migrations use.
 */
const objects = `
  WITH ours AS (
    SELECT c.* FROM unnest($1::text[]) AS name JOIN pg_class c ON c.oid = to_regclass(quote_ident(name))
  )
  SELECT 'table ' || relname AS name, concat_ws(' ',
    CASE relkind WHEN 'r' THEN 'ordinary' ELSE 'kind ' || relkind::text END,
    CASE relpersistence WHEN 'p' THEN 'logged' ELSE 'not logged' END,
    CASE WHEN relrowsecurity THEN 'row security' END,
    CASE WHEN relispartition OR EXISTS (SELECT 1 FROM pg_inherits WHERE oid IN (inhrelid, inhparent)) THEN 'inherits' END
  ) AS definition FROM ours
  UNION ALL
  SELECT format('column %s.%s', relname, attname), concat_ws(' ',
    format_type(atttypid, atttypmod),
    CASE WHEN attcollation <> typcollation THEN 'COLLATE ' || attcollation::regcollation END,
    CASE WHEN attnotnull THEN 'NOT NULL' END,
    CASE WHEN attidentity <> '' OR attgenerated <> '' THEN 'generated' END,
    'DEFAULT ' || pg_get_expr(adbin, adrelid)
  ) FROM ours
    JOIN pg_attribute ON attrelid = ours.oid AND attnum > 0 AND NOT attisdropped
    JOIN pg_type ON pg_type.oid = atttypid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  UNION ALL
  -- From PostgreSQL 18 on 'n' is NOT NULL, which the column has; 't' is a trigger.
  SELECT format('constraint %s.%s', relname, conname), pg_get_constraintdef(pg_constraint.oid, true)
  FROM ours JOIN pg_constraint ON conrelid = ours.oid AND contype NOT IN ('n', 't')
  UNION ALL
  SELECT format('unique index %s', indexrelid::regclass),
    pg_get_indexdef(indexrelid, 0, true)
      || CASE WHEN indisvalid AND indisready AND indislive THEN '' ELSE ' NOT VALID' END
      || CASE WHEN indimmediate THEN '' ELSE ' DEFERRABLE' END
  FROM ours JOIN pg_index ON indrelid = ours.oid AND indisunique
  UNION ALL
  SELECT format('trigger %s.%s', relname, tgname), pg_get_triggerdef(pg_trigger.oid, true)
    || CASE tgenabled WHEN 'A' THEN '' ELSE ' ENABLED ' || tgenabled::text END
  FROM ours JOIN pg_trigger ON tgrelid = ours.oid AND NOT tgisinternal
  UNION ALL
  -- A foreign key is held by triggers of PostgreSQL's own on both of its tables, which a superuser can switch off.
  SELECT DISTINCT format('switched-off foreign key %s.%s', relname, conname), ''
  FROM ours
    JOIN pg_trigger ON tgrelid = ours.oid AND tgisinternal AND tgenabled <> 'O'
    JOIN pg_constraint ON pg_constraint.oid = tgconstraint
  UNION ALL
  SELECT format('rule %s.%s', relname, rulename), pg_get_ruledef(pg_rewrite.oid, true)
  FROM ours JOIN pg_rewrite ON ev_class = ours.oid
  UNION ALL
  SELECT format('policy %s.%s', relname, polname), '' FROM ours JOIN pg_policy ON polrelid = ours.oid
  UNION ALL
  SELECT format('function %s(%s)', proname, pg_get_function_identity_arguments(pg_proc.oid)), concat_ws(' ',
    'RETURNS', pg_get_function_result(pg_proc.oid), 'LANGUAGE', lanname, 'VOLATILITY', provolatile,
    CASE WHEN prosecdef THEN 'SECURITY DEFINER' END, CASE WHEN proisstrict THEN 'STRICT' END, 'SET ' || proconfig::text,
    'AS', prosrc
  )
  FROM pg_proc JOIN pg_language ON pg_language.oid = prolang
  WHERE proname LIKE 'soku\\_%' AND pg_function_is_visible(pg_proc.oid)
  ORDER BY 1`;

const rowsSchema = z.array(z.object({ name: z.string(), definition: z.string() }));

/**
 * Compares the database with what the migrations create.
 *
 * @throws {StartupError} 65 when it differs
 */
export async function checkPostgresSchema(client: pg.ClientBase): Promise<void> {
  const snapshot = parseSnapshot(expected);
  const found = await readPostgresSchema(client, tablesOf(snapshot.objects));
  requireExpected('DATABASE_URL: the database', snapshot.objects, found);
}

/** @param tables only these tables, their objects, and Soku's functions are read */
export async function readPostgresSchema(
  client: pg.ClientBase,
  tables: readonly string[],
): Promise<SchemaObjects> {
  const { rows } = await client.query(objects, [tables]);
  return Object.fromEntries(rowsSchema.parse(rows).map(({ name, definition }) => [name, definition]));
}

/** The tables that the migrations create, without the bookkeeping tables of the migrations. */
export async function postgresTables(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query(
    `SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
     AND relname NOT LIKE 'kysely\\_%' ORDER BY relname`,
  );
  return rows.map((row) => String(row.relname));
}
