import './SortableHead.css';
import type { KeySort } from '@soku/contract/keys';
import { useNavigate } from '@tanstack/react-router';
import type { ListFilter } from '../../../../api/keys.ts';
import type { Elements } from '../../../../components/elements.ts';
import { isDefaultSorting, sortBy } from './sorting.ts';

interface Column {
  name: string;
  sort: KeySort;
  isNumber?: boolean;
}

const columns: Column[] = [
  { name: 'Name', sort: 'name' },
  { name: 'Key preview', sort: 'preview' },
  { name: 'Created', sort: 'created' },
  { name: 'Last used', sort: 'lastUsed' },
  { name: 'Expires', sort: 'expires' },
  { name: '24 hours', sort: 'usage', isNumber: true },
  { name: 'Status', sort: 'status' },
];

/** The head of the list, after the check box of all rows. On a narrow screen, it is a line of buttons that sort the list. */
export function SortableHead({ filter, children }: { filter: ListFilter; children?: Elements }) {
  return (
    <thead>
      <tr>
        <td className="keys__check">{children}</td>
        {columns.map(({ name, sort, isNumber }) => (
          <th
            key={name}
            scope="col"
            className={isNumber ? 'keys__number' : undefined}
            aria-sort={sort === filter.sort ? ariaSort[filter.order] : undefined}
          >
            <SortButton name={name} sort={sort} filter={filter} />
          </th>
        ))}
        <th scope="col">
          <span className="visually-hidden">Actions</span>
        </th>
      </tr>
    </thead>
  );
}

const ariaSort = { asc: 'ascending', desc: 'descending' } as const;

function SortButton({ name, sort, filter }: { name: string; sort: KeySort; filter: ListFilter }) {
  const navigate = useNavigate({ from: '/settings/api' });
  const order = () => {
    const next = sortBy(sort, filter);
    void navigate({
      search: ({ sort: _sort, order: _order, ...search }) => ({
        ...search,
        ...(isDefaultSorting(next) ? {} : next),
      }),
      resetScroll: false,
    });
  };
  return (
    <button type="button" className="sort" onClick={order}>
      <span>{name}</span>
      <svg className="sort__arrow" width="12" height="12" viewBox="0 0 16 16" aria-hidden="true">
        <path d="M8 2.5v11M3.5 9 8 13.5 12.5 9" />
      </svg>
    </button>
  );
}
