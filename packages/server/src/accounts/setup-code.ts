import { createHmac, randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { isPostgres } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';

/** 120 bits. */
const bytes = 15;

/**
 * What makes whoever knows it the owner of an empty deployment.
 *
 * On SQLite it is random, and ends with the process. On PostgreSQL every node must print the same one and take that of
 * any other, so it is made from what they share: the secret, without which nobody who reads the database knows it, and
 * a random text of this database, so that it opens no other one with the same secret. That text is the token of the
 * oldest change that is kept, which migration wrote; while there is no account there are no keys to change, so it stays.
 *
 * @param secret SOKU_SECRET
 * @returns five groups, so that it survives being read out, and is not taken for a key in the log
 */
export async function newSetupCode(db: Kysely<Tables>, secret: string): Promise<string> {
  const code = isPostgres(db) ? await derive(db, secret) : randomBytes(bytes);
  return code.toString('hex').match(/.{6}/g)?.join('-') ?? '';
}

async function derive(db: Kysely<Tables>, secret: string): Promise<Buffer> {
  const { rows } = await sql<{ token: string }>`SELECT token FROM key_change ORDER BY seq LIMIT 1`.execute(
    db,
  );
  const [first] = rows;
  if (first === undefined) throw new Error('the table key_change is empty');
  return createHmac('sha256', secret).update(`soku setup code\n${first.token}`).digest().subarray(0, bytes);
}
