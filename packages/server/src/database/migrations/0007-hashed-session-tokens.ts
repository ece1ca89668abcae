import { createHash } from 'node:crypto';
import { type Kysely, type Migration, sql } from 'kysely';
import { isPostgres } from '../dialect.ts';

/** The columns that this migration reads and writes. */
interface Before {
  session: { id: string; token: string };
}

/**
 * Replaces each session token with its SHA-256 in hexadecimal. Sessions stay valid: the cookie contains the token
 * itself.
 */
export const hashedSessionTokens: Migration = {
  async up(db: Kysely<Before>) {
    if (isPostgres(db)) {
      await sql`UPDATE session SET token = encode(sha256(convert_to(token, 'UTF8')), 'hex')`.execute(db);
    } else {
      await rewriteFile(db);
    }
  },
};

/**
 * SQLite has no SHA-256 function. Rows are wiped before the new tokens are written, so that the old ones do not remain
 * in unused parts of the file: https://sqlite.org/pragma.html#pragma_secure_delete
 */
async function rewriteFile(db: Kysely<Before>): Promise<void> {
  const rows = await db.selectFrom('session').selectAll().execute();
  const {
    rows: [before],
  } = await sql<{ secure_delete: number }>`PRAGMA secure_delete`.execute(db);
  await sql`PRAGMA secure_delete = ON`.execute(db);
  await db.deleteFrom('session').execute();
  await sql`PRAGMA secure_delete = ${sql.lit(before?.secure_delete ?? 0)}`.execute(db);
  for (const row of rows) {
    const token = createHash('sha256').update(row.token).digest('hex');
    await db
      .insertInto('session')
      .values({ ...row, token })
      .execute();
  }
}
