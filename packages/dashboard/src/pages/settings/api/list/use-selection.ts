import type { ListedKey } from '@soku/contract/keys';
import { useReducer } from 'react';
import type { ListFilter } from '../../../../api/keys.ts';
import { emptySelection, isSelectable, type SelectedKeys, selectRows, toggleRow } from './selection.ts';

export interface Selection {
  /** The selected keys, including those that another order of the list shows only further down. */
  keys: ListedKey[];
  has: (id: string) => boolean;
  /** The same function in every render, so that a row is rendered again only if it changes. */
  select: (change: SelectionChange) => void;
}

/** A click on the check box of a row, with or without Shift; or all rows that are shown, or none at all. */
export type SelectionChange = { row: string; withRange: boolean } | 'all' | 'none';

/**
 * The selection stays while the list is sorted and while more of it is loaded. It ends with another status, filter or
 * search, so that nothing is revoked that such a list does not contain.
 */
export function useSelection(rows: ListedKey[], filter: ListFilter): Selection {
  const { sort: _sort, order: _order, ...shown } = filter;
  const list = JSON.stringify(shown);
  const none = { ...emptySelection, list };
  const [state, select] = useReducer((before: SelectedKeys & { list: string }, change: SelectionChange) => {
    if (change === 'none') return none;
    if (change === 'all') return { ...before, keys: selectRows(before.keys, rows, true) };
    return { ...before, ...toggleRow(before, rows, change.row, change.withRange) };
  }, none);
  if (state.list !== list) select('none');

  const latest = new Map(rows.map((row) => [row.id, row]));
  return {
    keys: [...state.keys.values()].map((key) => latest.get(key.id) ?? key).filter(isSelectable),
    has: (id) => state.keys.has(id),
    select,
  };
}
