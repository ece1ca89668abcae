import type { KeySort, SortOrder, StatusFilter } from '@soku/contract/keys';
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { binaryCollation } from '../database/dialect.ts';
import { dayStartOf } from '../usage/day-ranking.ts';

type Condition = RawBuilder<SqlBool>;

/**
 * A part of a sorted list, within which keys are compared by one value and then by their id, or by their id alone. A
 * list consists of its phases, one after the other, so that keys without a value come last in both orders.
 */
export interface Phase {
  /** Its position in the list, whatever the filter is. */
  number: number;
  /** The table with the index of this order. */
  table: 'api_key' | 'key_use' | 'key_preview';
  /** Which keys belong to this phase; undefined: all. */
  only?: Condition;
  /**
   * Which keys to read in the order of the index, before `only` is checked. Default: `only`, if the index can select
   * them.
   */
  walked?: Condition;
  /** The value that is compared before the id; undefined: none. */
  by?: RawBuilder<unknown>;
}

/** What phases depend on. */
interface ListTime {
  /**
   * When the first page was read, in epoch ms. For `lastUsed`, the start of the five minutes of that time: keys that were
   * used since then are one phase, sorted by id, so a key that is in use keeps its place while the pages are read.
   */
  since: number;
  /**
   * For `lastUsed`: whether there may be keys that were used after these five minutes. If not, the keys of the phase
   * have the same value, so the index returns them in the order of their ids.
   */
  hasLater: boolean;
  status: StatusFilter;
  /** When this page is read, in epoch ms. */
  now: number;
}

/**
 * @param postgres whether the statements go to PostgreSQL
 * @returns all phases, except the first one of `usage`: the keys in the ranking (list-ranked.ts)
 */
export function phasesOf(sort: KeySort, order: SortOrder, time: ListTime, postgres: boolean): Phase[] {
  switch (sort) {
    case 'created':
      return [{ number: 0, table: 'api_key' }];
    case 'name':
      return [{ number: 0, table: 'api_key', by: sql`api_key.name_folded ${binaryCollation(postgres)}` }];
    case 'preview':
      return [{ number: 0, table: 'key_preview', by: sql.ref('key_preview.preview') }];
    case 'expires':
      return numbered([
        { table: 'api_key', only: expires(time), by: sql.ref('api_key.expires_at') },
        { table: 'api_key', only: sql<SqlBool>`api_key.expires_at IS NULL` },
      ]);
    case 'lastUsed': {
      const isRecent = time.hasLater ? sql`>=` : sql`=`;
      const recent = {
        table: 'key_use',
        only: sql<SqlBool>`key_use.used_at ${isRecent} ${time.since}`,
      } as const;
      const [earlier, never] = usedBefore(time.since);
      return numbered(order === 'desc' ? [recent, earlier, never] : [earlier, recent, never]);
    }
    case 'usage':
      return numbered(usedBefore(dayStartOf(time.since)), 1);
    case 'status':
      return byStatus(order, time);
  }
}

type UnnumberedPhase = Omit<Phase, 'number'>;

function numbered(phases: readonly UnnumberedPhase[], first = 0): Phase[] {
  return phases.map((phase, i) => ({ ...phase, number: first + i }));
}

function usedBefore(time: number): [UnnumberedPhase, UnnumberedPhase] {
  return [
    {
      table: 'key_use',
      only: sql<SqlBool>`key_use.used_at < ${time}`,
      by: sql.ref('key_use.used_at'),
    },
    { table: 'key_use', only: sql<SqlBool>`key_use.used_at IS NULL` },
  ];
}

/** The keys that expire, without those that the filter excludes, which may be many and are next to each other. */
function expires({ status, now }: ListTime): Condition {
  if (status === 'active' || status === 'disabled') return sql`api_key.expires_at > ${now}`;
  return status === 'expired' ? sql`api_key.expires_at <= ${now}` : sql`api_key.expires_at IS NOT NULL`;
}

/** As each key was when the first page was read: a key that expires or is revoked meanwhile keeps its place. */
function byStatus(order: SortOrder, { since, status }: ListTime): Phase[] {
  const revoked = sql<SqlBool>`api_key.revoked_at <= ${since}`;
  const unrevoked = sql`(api_key.revoked_at IS NULL OR api_key.revoked_at > ${since})`;
  const every = sql<SqlBool>`1 = 1`;
  const phases: (UnnumberedPhase & { status: StatusFilter })[] = [
    {
      status: 'active',
      table: 'api_key',
      only: sql`${unrevoked} AND (api_key.expires_at IS NULL OR api_key.expires_at > ${since})`,
      walked: every,
    },
    {
      status: 'expired',
      table: 'api_key',
      only: sql`${unrevoked} AND api_key.expires_at <= ${since}`,
      walked: every,
    },
    {
      status: 'revoked',
      table: 'api_key',
      only: revoked,
      walked: sql<SqlBool>`api_key.revoked_at IS NOT NULL`,
    },
  ];
  const ordered = numbered(order === 'asc' ? phases : phases.toReversed());
  if (status === 'all') return ordered;
  // All keys of the list have the same status now. Disabled keys are in the phase of the active ones.
  const own = status === 'disabled' ? 'active' : status;
  const [number, table] = [phases.findIndex((phase) => phase.status === own), 'api_key' as const];
  return [{ number: order === 'asc' ? number : phases.length - 1 - number, table }];
}
