import type { KeySort, SortOrder } from '@soku/contract/keys';
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { binaryCollation } from '../database/dialect.ts';

/**
 * A part of a sorted list, within which keys are compared by one value and by their id, or by their id alone. A list is
 * one phase after the other, so that keys without a value are last in both orders.
 */
export interface Phase {
  /** The table with the index of this order. */
  table: 'api_key' | 'key_use';
  /** Which keys belong to this phase; undefined: all. */
  only?: RawBuilder<SqlBool>;
  /** What is compared before the id. */
  by?: RawBuilder<unknown>;
}

/** What the phases of `lastUsed` depend on. */
interface RecentUse {
  /**
   * Epoch ms: the start of the five minutes in which the first page was read. Keys that were used since then are one
   * phase, sorted by id, so a key that is in use keeps its place while the pages are read.
   */
  since: number;
  /** Whether there may be keys that were used after these five minutes. Otherwise the index has the order of the phase. */
  hasLater: boolean;
}

/** @param postgres whether the statements go to PostgreSQL */
export function phasesOf(
  sort: KeySort,
  order: SortOrder,
  { since, hasLater }: RecentUse,
  postgres: boolean,
): Phase[] {
  switch (sort) {
    case 'created':
      return [{ table: 'api_key' }];
    case 'name':
      return [{ table: 'api_key', by: sql`api_key.name_folded ${binaryCollation(postgres)}` }];
    case 'expires':
      return [
        {
          table: 'api_key',
          only: sql<SqlBool>`api_key.expires_at IS NOT NULL`,
          by: sql.ref('api_key.expires_at'),
        },
        { table: 'api_key', only: sql<SqlBool>`api_key.expires_at IS NULL` },
      ];
    case 'lastUsed': {
      const isRecent = hasLater ? sql`>=` : sql`=`;
      const recent: Phase = { table: 'key_use', only: sql<SqlBool>`key_use.used_at ${isRecent} ${since}` };
      const earlier: Phase = {
        table: 'key_use',
        only: sql<SqlBool>`key_use.used_at < ${since}`,
        by: sql.ref('key_use.used_at'),
      };
      const never: Phase = { table: 'key_use', only: sql<SqlBool>`key_use.used_at IS NULL` };
      return order === 'desc' ? [recent, earlier, never] : [earlier, recent, never];
    }
  }
}
