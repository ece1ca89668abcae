import { createHmac, randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { isPostgres } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';

/** 120 bits. */
const codeBytes = 15;

/**
 * The code that authorizes its holder to become the owner of an empty deployment.
 *
 * On SQLite it is random, and valid until the process ends. On PostgreSQL every node must log the same code, so it is
 * derived from two shared values: the secret, so that read access to the database is not enough, and a random value in
 * the database, so that the code is not valid for another database with the same secret. That value is the token of
 * the oldest stored change, which a migration wrote. It cannot change before the first account, because there are no
 * keys.
 *
 * @param secret SOKU_SECRET
 * @returns five groups, which are easy to read aloud and are not redacted in the log as a key
 */
export async function createSetupCode(db: Kysely<Tables>, secret: string): Promise<string> {
  const code = isPostgres(db) ? await derive(db, secret) : randomBytes(codeBytes);
  return code.toString('hex').match(/.{6}/g)?.join('-') ?? '';
}

async function derive(db: Kysely<Tables>, secret: string): Promise<Buffer> {
  const { rows } = await sql<{ token: string }>`SELECT token FROM key_change ORDER BY seq LIMIT 1`.execute(
    db,
  );
  const [first] = rows;
  if (first === undefined) throw new Error('the table key_change is empty');
  return createHmac('sha256', secret)
    .update(`soku setup code\n${first.token}`)
    .digest()
    .subarray(0, codeBytes);
}
