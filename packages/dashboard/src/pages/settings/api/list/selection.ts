/** Which keys of the list are selected. */
import type { ListedKey } from '@soku/contract/keys';

/** Maximum number of keys in one call. */
export const maxSelected = 1000;

export interface SelectedKeys {
  /** By id, as they were when they were selected. */
  keys: ReadonlyMap<string, ListedKey>;
  /** The id of the key that was clicked last: a click with Shift selects the rows from there. */
  anchor: string | null;
}

export const emptySelection: SelectedKeys = { keys: new Map(), anchor: null };

/** Selects or deselects a row, or with Shift all rows from the one that was clicked before. */
export function toggleRow(
  { keys, anchor }: SelectedKeys,
  rows: readonly ListedKey[],
  id: string,
  withRange: boolean,
): SelectedKeys {
  const end = rows.findIndex((row) => row.id === id);
  const start = withRange ? rows.findIndex((row) => row.id === anchor) : -1;
  const [first, last] = start < 0 ? [end, end] : [Math.min(start, end), Math.max(start, end)];
  return { keys: selectRows(keys, rows.slice(first, last + 1), !keys.has(id)), anchor: id };
}

export function selectRows(
  keys: SelectedKeys['keys'],
  rows: readonly ListedKey[],
  isSelected: boolean,
): SelectedKeys['keys'] {
  const changed = new Map(keys);
  for (const row of rows) {
    if (!isSelected) changed.delete(row.id);
    else if (isSelectable(row) && (changed.size < maxSelected || changed.has(row.id))) {
      changed.set(row.id, row);
    }
  }
  return changed;
}

/** A revoked key cannot be revoked again. */
export function isSelectable({ status }: ListedKey): boolean {
  return status !== 'revoked';
}
