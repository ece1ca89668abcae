import type { ListFilter } from '../../../../api/keys.ts';
import { formatNumber } from '../../../../components/format-number.ts';

const labels = {
  unusedDays: 'Unused for',
  expiresWithinDays: 'Expires within',
  createdBy: 'Created by',
  scope: 'Scope',
};

/** The filters besides the status and the search. Each is a parameter of the page's address. */
export type FilterName = keyof typeof labels;

const names = ['unusedDays', 'expiresWithinDays', 'createdBy', 'scope'] satisfies FilterName[];

export interface AppliedFilter {
  name: FilterName;
  label: string;
  /** For `createdBy`, an id. */
  value: string;
}

export function appliedFilters(filter: ListFilter): AppliedFilter[] {
  return names.flatMap((name) => {
    const value = filter[name];
    if (value === undefined) return [];
    return [{ name, label: labels[name], value: typeof value === 'number' ? formatDays(value) : value }];
  });
}

export function formatDays(days: number): string {
  return days === 1 ? '1 day' : `${formatNumber(days)} days`;
}

interface FilterParameters {
  unusedDays?: number | undefined;
  expiresWithinDays?: number | undefined;
  createdBy?: string | undefined;
  scope?: string | undefined;
}

/** The parameters of the page's address without filters. */
export function withoutFilters<Search extends FilterParameters>(search: Search) {
  const { unusedDays: _u, expiresWithinDays: _e, createdBy: _c, scope: _s, ...others } = search;
  return others;
}
