import './FilterBar.css';
import type { ListedKey } from '@soku/contract/keys';
import { useNavigate } from '@tanstack/react-router';
import { Plus, X } from 'lucide-react';
import { useId, useRef, useState } from 'react';
import type { ListFilter } from '../../../../api/keys.ts';
import { MenuButton, type OpenMenu } from '../../../../components/MenuButton.tsx';
import type { ApiKeysSearch } from '../../../search.ts';
import { CreatorName } from './CreatorName.tsx';
import { type AppliedFilter, appliedFilters, withoutFilters } from './filters.ts';
import { useMenus } from './use-menus.ts';

/** The filters of the list as chips that can be removed, and a menu that adds others. */
export function FilterBar({ filter, rows }: { filter: ListFilter; rows: ListedKey[] }) {
  const navigate = useNavigate({ from: '/settings/api' });
  const id = useId();
  const addButton = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState<OpenMenu | null>(null);
  const close = () => setOpen(null);
  const menus = useMenus(open !== null);
  const applied = filter.hash === '' ? appliedFilters(filter) : [];

  /** What was clicked disappears, so the focus moves to the button beside it. */
  const remove = (search: (search: ApiKeysSearch) => ApiKeysSearch) => {
    addButton.current?.focus();
    void navigate({ search, resetScroll: false });
  };

  return (
    <div className="filters">
      {applied.map((each) => (
        <Chip
          key={each.name}
          filter={each}
          onRemove={() => remove(({ [each.name]: _removed, ...others }) => others)}
        />
      ))}
      <MenuButton
        ref={addButton}
        className="chip chip--add"
        aria-label="Add filter"
        menuId={id}
        isOpen={open !== null}
        onOpen={setOpen}
        onClose={close}
      >
        <Plus size={16} aria-hidden />
        <span>Filter</span>
      </MenuButton>
      {applied.length > 1 ? (
        <button type="button" className="filters__clear" onClick={() => remove(withoutFilters)}>
          Clear all
        </button>
      ) : null}
      {open && menus ? (
        <menus.FilterMenu id={id} {...open} filter={filter} rows={rows} onClose={close} />
      ) : null}
    </div>
  );
}

function Chip({ filter: { name, label, value }, onRemove }: { filter: AppliedFilter; onRemove: () => void }) {
  return (
    <span className="chip">
      <span className="chip__label">{label}</span>
      <b className="chip__value">
        {name === 'createdBy' ? (
          <CreatorName id={value} />
        ) : (
          <span translate={isChosenName(name) ? 'no' : undefined}>{value}</span>
        )}
      </b>
      <button type="button" className="chip__remove" onClick={onRemove}>
        <X size={14} aria-hidden />
        <span className="visually-hidden">{`Remove filter: ${label}`}</span>
      </button>
    </span>
  );
}

/** Whether the value is a name that someone has chosen, which is not translated. */
function isChosenName(name: AppliedFilter['name']): boolean {
  return name === 'scope' || name === 'externalId';
}
