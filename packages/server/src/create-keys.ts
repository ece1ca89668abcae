import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { isPostgres } from './database/dialect.ts';
import type { Database } from './database/open.ts';
import { createPolicyTasks } from './hygiene/create.ts';
import { HygieneReader } from './hygiene/reader.ts';
import { HygieneService } from './hygiene/service.ts';
import { ImportService } from './import/service.ts';
import { KeyListReader } from './keys/list-reader.ts';
import { KeyListService } from './keys/list-service.ts';
import { WorkspaceRevoker } from './keys/revoke-all.ts';
import { RevokeService } from './keys/revoke-service.ts';
import { RotationService } from './keys/rotation-service.ts';
import { scopeHolders } from './keys/scope-holders.ts';
import { KeyService } from './keys/service.ts';
import { KeyStore } from './keys/store.ts';
import type { Propagation } from './propagation/propagation.ts';
import { ScopeService } from './scopes/service.ts';
import { DayRankings } from './usage/day-ranking.ts';
import { UsageHistoryService } from './usage/history-service.ts';
import { UsageService } from './usage/service.ts';
import type { UsageRecording } from './usage/usage.ts';
import { WorkspaceUsageService } from './usage/workspace-service.ts';

/**
 * Assembles the commands and lists of keys, their scopes, and their usage, which need each other.
 *
 * @param secret authenticates the cursors of lists
 */
export function createKeys(
  config: Config,
  { kysely }: Database,
  propagation: Propagation,
  { reader, history: historyReader, writeLastUses }: UsageRecording,
  secret: string,
  log: Logger,
) {
  const now = Date.now;
  const store = new KeyStore(kysely);
  const lastUses = (keyIds: readonly string[]) => reader.lastUses(keyIds);
  const revoker = new WorkspaceRevoker({
    db: kysely,
    propagation,
    now,
    failed: (error) => log.error({ err: error }, 'not all keys of a workspace could be revoked; retrying'),
  });
  const keys = new KeyService(store, propagation, {
    prefixes: config.keyPrefixes,
    testPrefix: config.testKeyPrefix,
    maxActiveKeys: config.maxActiveKeys,
    keyRateLimit: config.keyRateLimit,
    lastUses,
    finishRevoking: (workspaceId) => revoker.finish(workspaceId),
    now,
  });
  const scopes = new ScopeService(kysely, {
    propagation,
    prefixes: config.keyPrefixes,
    holdersOf: scopeHolders,
    now,
  });
  const revocations = new RevokeService(keys, propagation, now);
  const rotation = new RotationService(keys, store, propagation, {
    prefixes: config.keyPrefixes,
    testPrefix: config.testKeyPrefix,
    keyRateLimit: config.keyRateLimit,
    now,
  });
  const imports = new ImportService(propagation, {
    prefixes: config.keyPrefixes,
    testPrefix: config.testKeyPrefix,
    maxActiveKeys: config.maxActiveKeys,
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
  const hygiene = new HygieneService({
    reader: new HygieneReader(kysely),
    find: used.find,
    writeLastUses,
    now,
  });
  const policyTasks = createPolicyTasks({ db: kysely, propagation, usage: reader, log });
  const history = new UsageHistoryService(historyReader, {
    checkKey: (workspaceId, keyId) => keys.secrets(workspaceId, keyId),
    retentionDays: config.usageRetentionDays,
    now,
  });
  return {
    ...{ keys, revocations, revoker, rotation, imports, lists, scopes, hygiene, policyTasks },
    ...{ usage: keyUsage, workspaceUsage, history },
  };
}
