import { type Kysely, type Migration, sql } from 'kysely';
import { binaryCollation, isPostgres } from '../dialect.ts';
import { foldName } from '../fold-name.ts';

/** Rows per statement. */
const batch = 500;

/**
 * Search by preview, with an index for each end of it, and by names with Unicode case folding and without accents.
 * Existing names are folded again.
 */
export const search: Migration = {
  async up(db: Kysely<unknown>) {
    const collation = binaryCollation(isPostgres(db));
    for (const column of ['preview_start', 'preview_end']) {
      await db.schema
        .createIndex(`api_key_secret_${column}`)
        .on('api_key_secret')
        .expression(sql`lower(${sql.ref(column)} ${collation})`)
        .execute();
    }
    // Verifiers do not use the folded name, so nodes need no notification of this change. One change per key would block
    // every revoke until all of them are written.
    if (isPostgres(db)) await sql`ALTER TABLE api_key DISABLE TRIGGER api_key_published`.execute(db);
    await foldNames(db);
    if (isPostgres(db)) await sql`ALTER TABLE api_key ENABLE ALWAYS TRIGGER api_key_published`.execute(db);
  },
};

async function foldNames(db: Kysely<unknown>): Promise<void> {
  let last = '';
  for (;;) {
    const { rows } = await sql<{ id: string; name: string; name_folded: string }>`
      SELECT id, name, name_folded FROM api_key WHERE id > ${last} ORDER BY id LIMIT ${batch}`.execute(db);
    const end = rows.at(-1);
    if (end === undefined) return;
    last = end.id;
    const changed = rows.filter((row) => foldName(row.name) !== row.name_folded);
    if (changed.length === 0) continue;
    const values = changed.map((row) => sql`(${row.id}, ${foldName(row.name)})`);
    // Both databases call the columns of VALUES column1 and column2.
    await sql`
      UPDATE api_key SET name_folded = folded.column2
      FROM (VALUES ${sql.join(values)}) AS folded WHERE api_key.id = folded.column1`.execute(db);
  }
}
