import { type Kysely, type Migration, Migrator } from 'kysely';
import { accounts } from './migrations/0001-accounts.ts';
import { apiKeys } from './migrations/0002-api-keys.ts';
import { usage } from './migrations/0003-usage.ts';
import { limits } from './migrations/0004-limits.ts';
import { nodes } from './migrations/0005-nodes.ts';
import { sharedCounts } from './migrations/0006-shared-counts.ts';
import { hashedSessionTokens } from './migrations/0007-hashed-session-tokens.ts';
import { search } from './migrations/0008-search.ts';
import { keyCreators } from './migrations/0009-key-creators.ts';
import { audit } from './migrations/0010-audit.ts';
import { secretLifecycle } from './migrations/0011-secret-lifecycle.ts';
import { grants } from './migrations/0012-grants.ts';
import { usageLog } from './migrations/0013-usage-log.ts';
import { keyLists } from './migrations/0014-key-lists.ts';
import { previews } from './migrations/0015-previews.ts';
import { usagePasses } from './migrations/0016-usage-passes.ts';
import { keyLife } from './migrations/0017-key-life.ts';
import { keptMark } from './migrations/0018-kept-mark.ts';
import { webhooks } from './migrations/0019-webhooks.ts';
import { mail } from './migrations/0020-mail.ts';
import { leakPolicy } from './migrations/0021-leak-policy.ts';
import { hygiene } from './migrations/0022-hygiene.ts';
import { policies } from './migrations/0023-policies.ts';
import { usageDays } from './migrations/0024-usage-days.ts';
import { writtenUsage } from './migrations/0025-written-usage.ts';
import { warningsAndAttempts } from './migrations/0026-warnings-and-attempts.ts';
import type { Tables } from './schema.ts';

/** All migrations in order. Forward only: a released one is never edited but corrected by a later one. */
export const migrations: Record<string, Migration> = {
  '0001-accounts': accounts,
  '0002-api-keys': apiKeys,
  '0003-usage': usage,
  '0004-limits': limits,
  '0005-nodes': nodes,
  '0006-shared-counts': sharedCounts,
  '0007-hashed-session-tokens': hashedSessionTokens,
  '0008-search': search,
  '0009-key-creators': keyCreators,
  '0010-audit': audit,
  '0011-secret-lifecycle': secretLifecycle,
  '0012-grants': grants,
  '0013-usage-log': usageLog,
  '0014-key-lists': keyLists,
  '0015-previews': previews,
  '0016-usage-passes': usagePasses,
  '0017-key-life': keyLife,
  '0018-kept-mark': keptMark,
  '0019-webhooks': webhooks,
  '0020-mail': mail,
  '0021-leak-policy': leakPolicy,
  '0022-hygiene': hygiene,
  '0023-policies': policies,
  '0024-usage-days': usageDays,
  '0025-written-usage': writtenUsage,
  '0026-warnings-and-attempts': warningsAndAttempts,
};

/**
 * Migrates the database to the newest schema. All migrations run in one transaction, together with their bookkeeping.
 *
 * @returns the names of the migrations that ran
 * @throws the error of the first failed migration; all of them are rolled back
 */
export async function migrate(kysely: Kysely<Tables>): Promise<string[]> {
  const migrator = new Migrator({ db: kysely, provider: { getMigrations: async () => migrations } });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  return results.map((result) => result.migrationName);
}
