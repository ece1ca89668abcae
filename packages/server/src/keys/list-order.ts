import type { SortOrder } from '@soku/contract/keys';
import { type RawBuilder, type SqlBool, sql } from 'kysely';

/** The place of a key in a sorted list. */
export interface KeyPlace {
  /** The number of its phase. */
  phase: number;
  /** The value that its phase compares before the id; null if it compares only ids. */
  value: string | number | null;
  id: string;
}

/** Selects the rows after a place. @param by the value that is compared before the id */
export function isAfter(
  by: RawBuilder<unknown> | undefined,
  id: RawBuilder<unknown>,
  order: SortOrder,
  place: KeyPlace,
): RawBuilder<SqlBool>[] {
  const sign = order === 'asc' ? sql`>` : sql`<`;
  if (by === undefined) return [sql`${id} ${sign} ${place.id}`];
  return [sql`(${by}, ${id}) ${sign} (${place.value}, ${place.id})`];
}

export function inOrder(by: RawBuilder<unknown> | undefined, id: RawBuilder<unknown>, order: SortOrder) {
  const direction = order === 'asc' ? sql`ASC` : sql`DESC`;
  return by === undefined ? sql`${id} ${direction}` : sql`${by} ${direction}, ${id} ${direction}`;
}

/** Compares like both databases: numbers by value, texts by bytes. */
export function comparePlaces(order: SortOrder): (a: KeyPlace, b: KeyPlace) => number {
  const sign = order === 'asc' ? 1 : -1;
  return (a, b) => a.phase - b.phase || sign * (compareValues(a.value, b.value) || compareTexts(a.id, b.id));
}

function compareValues(a: KeyPlace['value'], b: KeyPlace['value']): number {
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  return Number(a) - Number(b);
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
