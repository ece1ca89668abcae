import { setImmediate as turn } from 'node:timers/promises';
import type { SortOrder } from '@soku/contract/keys';
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import { isPostgres } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { allOf, hasIdAmong } from './list-filter.ts';
import { inOrder } from './list-order.ts';

/** A part of the keys of a workspace. */
export interface KeyRange {
  condition: RawBuilder<SqlBool>;
  /** Whether an id may be in this range. */
  mayContain: (id: string) => boolean;
}

/** The keys that a search through ranges reads. */
interface RangedKeys {
  workspaceId: string;
  /** The only keys to read, if they are known to be few. */
  ids: readonly string[] | undefined;
  order: SortOrder;
  /** The id after which the first range begins. */
  after: string | undefined;
}

/**
 * Ranges of ids that contain all keys of a workspace, in order, or the given ids.
 *
 * @param size maximum number of keys in a range, on SQLite. The process can do other work between two ranges.
 */
export async function* rangesOf(
  db: Kysely<Tables>,
  { workspaceId, ids, order, after }: RangedKeys,
  size: number,
): AsyncGenerator<KeyRange, void> {
  const everyId = () => true;
  if (ids !== undefined) {
    if (ids.length > 0) yield { condition: hasIdAmong(ids, isPostgres(db)), mayContain: everyId };
    return;
  }
  if (isPostgres(db)) {
    yield { condition: sql`1 = 1`, mayContain: everyId };
    return;
  }
  const isAscending = order === 'asc';
  const [before, upTo] = isAscending ? [sql`>`, sql`<=`] : [sql`<`, sql`>=`];
  let begin = after;
  for (;;) {
    const later = begin === undefined ? sql<SqlBool>`1 = 1` : sql<SqlBool>`api_key.id ${before} ${begin}`;
    const { rows } = await sql<{ id: string }>`
      SELECT id FROM api_key WHERE ${allOf([sql`api_key.workspace_id = ${workspaceId}`, later])}
      ORDER BY ${inOrder(undefined, sql.ref('id'), order)} LIMIT 1 OFFSET ${size - 1}`.execute(db);
    const end = rows[0]?.id;
    const [low, high] = isAscending ? [begin, end] : [end, begin];
    const mayContain = (id: string) => (low === undefined || id >= low) && (high === undefined || id <= high);
    if (end === undefined) {
      yield { condition: later, mayContain };
      return;
    }
    yield { condition: sql`${later} AND api_key.id ${upTo} ${end}`, mayContain };
    begin = end;
    await turn();
  }
}
