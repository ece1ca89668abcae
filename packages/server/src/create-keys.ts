import type { Config } from './config.ts';
import { isPostgres } from './database/dialect.ts';
import type { Database } from './database/open.ts';
import { KeyListReader } from './keys/list-reader.ts';
import { KeyListService } from './keys/list-service.ts';
import { RotationService } from './keys/rotation-service.ts';
import { KeyService } from './keys/service.ts';
import { KeyStore } from './keys/store.ts';
import type { Propagation } from './propagation/propagation.ts';
import { DayRankings } from './usage/day-ranking.ts';
import { UsageService } from './usage/service.ts';
import type { UsageRecording } from './usage/usage.ts';
import { WorkspaceUsageService } from './usage/workspace-service.ts';

/**
 * Assembles the commands and lists of keys, and their usage, which need each other.
 *
 * @param secret authenticates the cursors of lists
 */
export function createKeys(
  config: Config,
  { kysely }: Database,
  propagation: Propagation,
  { reader, writeLastUses }: UsageRecording,
  secret: string,
) {
  const now = Date.now;
  const store = new KeyStore(kysely);
  const lastUses = (keyIds: readonly string[]) => reader.lastUses(keyIds);
  const keys = new KeyService(store, propagation, {
    prefixes: config.keyPrefixes,
    testPrefix: config.testKeyPrefix,
    maxActiveKeys: config.maxActiveKeys,
    keyRateLimit: config.keyRateLimit,
    lastUses,
    now,
  });
  const rotation = new RotationService(keys, store, propagation, {
    prefixes: config.keyPrefixes,
    testPrefix: config.testKeyPrefix,
    keyRateLimit: config.keyRateLimit,
    now,
  });
  const keyUsage = new UsageService(keys, reader, now);
  const recent = (keyIds: readonly string[]) => keyUsage.recent(keyIds);
  const usedSince = store.usedSince.bind(store);
  const rankings = new DayRankings(reader, usedSince, now, isPostgres(kysely) ? 4000 : 300);
  const usage = { lastUses, recent, writeLastUses, rankings };
  const lists = new KeyListService(store, new KeyListReader(kysely), { usage, secret, now });
  const used = {
    find: (workspaceId: string, ids: readonly string[]) => lists.find(workspaceId, ids),
    usedSince,
  };
  const workspaceUsage = new WorkspaceUsageService(used, reader, { writeLastUses, now });
  return { keys, rotation, lists, keyUsage, workspaceUsage };
}
