import type { ListFilter } from '../../../../api/keys.ts';
import { formatNumber } from '../../../../components/format-number.ts';

const labels = {
  status: 'Status',
  unusedDays: 'Unused for',
  expiresWithinDays: 'Expires within',
  createdBy: 'Created by',
  scope: 'Scope',
  environment: 'Environment',
  externalId: 'External ID',
  rotating: 'Rotation',
};

export const environmentNames = { live: 'Live', test: 'Test' } as const;

/** The filters besides the search. Each is a parameter of the page's address. The status is one only if it is `disabled`. */
export type FilterName = keyof typeof labels;

const names = [
  'unusedDays',
  'expiresWithinDays',
  'createdBy',
  'scope',
  'environment',
  'externalId',
  'rotating',
] satisfies Exclude<FilterName, 'status'>[];

export interface AppliedFilter {
  name: FilterName;
  label: string;
  /** Names and ids that people and programs have chosen are not translated. */
  value: string;
}

/** The filters that are shown as chips. */
export function appliedFilters(filter: ListFilter): AppliedFilter[] {
  const isDisabled = filter.status === 'disabled';
  return [
    ...(isDisabled ? [{ name: 'status' as const, label: labels.status, value: 'Disabled' }] : []),
    ...namedFilters(filter),
  ];
}

/** The filters besides the status and the search. */
export function namedFilters(filter: ListFilter): AppliedFilter[] {
  return names.flatMap((name) => {
    const value = filter[name];
    return value === undefined ? [] : [{ name, label: labels[name], value: valueText(name, value) }];
  });
}

function valueText(name: FilterName, value: string | number): string {
  if (typeof value === 'number') return formatDays(value);
  if (name === 'rotating') return 'In progress';
  return name === 'environment' ? environmentNames[value === 'test' ? 'test' : 'live'] : value;
}

export function formatDays(days: number): string {
  return days === 1 ? '1 day' : `${formatNumber(days)} days`;
}

type FilterParameters = Partial<Record<FilterName, unknown>>;

/** The parameters of the page's address without filters. */
export function withoutFilters<Search extends FilterParameters>(search: Search) {
  const {
    unusedDays: _u,
    expiresWithinDays: _e,
    createdBy: _c,
    scope: _s,
    environment: _n,
    externalId: _x,
    rotating: _r,
    status,
    ...others
  } = search;
  return status === undefined || status === 'disabled' ? others : { ...others, status };
}
