import { pino } from 'pino';
import type { Database } from '../../packages/server/src/database/open.ts';
import { openPostgres } from '../../packages/server/src/database/postgres.ts';
import { openTemporary } from '../../packages/server/src/database/temporary.ts';
import { temporaryDatabase } from './postgres-database.ts';

/** Where tests of stores run: both databases, and PostgreSQL with a locale that sorts as people do. */
export const databases = ['sqlite', 'postgres', 'postgres in a language'] as const;

/** Numbers in a text count as numbers there, and no letter stands where its byte does. */
const language = "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US-u-kn-true'";

/**
 * A database of a test's own, in this process, opened as the server opens its own.
 *
 * @returns `close` also removes it
 */
export async function openTestDatabase(
  which: (typeof databases)[number],
): Promise<{ database: Database; close(): Promise<void> }> {
  if (which === 'sqlite') return openTemporary();
  const { url, drop } = await temporaryDatabase(undefined, which === 'postgres' ? '' : language);
  const database = await openPostgres(url, pino({ level: 'silent' }));
  const close = async () => {
    await database.close();
    await drop();
  };
  return { database, close };
}
