import '../../../components/Table.css';
import './KeyListTable.css';
import './list/KeyCards.css';
import type { ListedKey } from '@soku/contract/keys';
import { Link } from '@tanstack/react-router';
import { Ellipsis } from 'lucide-react';
import { type MouseEvent, memo, useId, useState } from 'react';
import type { ListFilter } from '../../../api/keys.ts';
import { formatNumber } from '../../../components/format-number.ts';
import { KeyPreview } from '../../../components/KeyTeeth.tsx';
import { MenuButton, type OpenMenu } from '../../../components/MenuButton.tsx';
import { RelativeTime } from '../../../components/RelativeTime.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import type { Panel } from '../../../components/use-panel.ts';
import { exactTime, formatDay, utcTime } from '../../../dates/dates.ts';
import { RowStatus } from './list/RowStatus.tsx';
import { SortableHead } from './list/SortableHead.tsx';
import { isSelectable } from './list/selection.ts';
import { describeSorting } from './list/sorting.ts';
import { useMenus } from './list/use-menus.ts';
import type { Selection } from './list/use-selection.ts';

interface KeyListTableProps {
  rows: ListedKey[];
  filter: ListFilter;
  /** Whether the first rows are still loading. */
  isPending: boolean;
  stale: boolean;
  selection: Selection;
  openPanel: (panel: Panel, keyId?: string) => void;
}

/** The open menu and the id of its key. */
type OpenRowMenu = OpenMenu & { keyId: string };

/** One table while the rows load and afterwards, so that the button that sorts it keeps the focus. */
export function KeyListTable({ rows, filter, isPending, stale, selection, openPanel }: KeyListTableProps) {
  const menuId = useId();
  const [open, setOpen] = useState<OpenRowMenu | null>(null);
  const menus = useMenus(open !== null);
  const openKey = rows.find(({ id }) => id === open?.keyId);
  return (
    <div className={`keys keys--by-${filter.sort}`} aria-busy={stale}>
      {isPending ? (
        <p className="visually-hidden" role="status">
          Loading keys
        </p>
      ) : null}
      <table className="table table--sticky">
        <caption className="visually-hidden">{`API keys, ${describeSorting(filter)}`}</caption>
        <SortableHead filter={filter}>
          <SelectAll rows={rows} selection={selection} />
        </SortableHead>
        <tbody
          onClick={openRow}
          onKeyDown={({ key, target }) => {
            // Only on a check box, so that no one opens the dialog by accident.
            if (key === 'Delete' && selection.keys.length > 0 && target instanceof HTMLInputElement)
              openPanel('revoke-selected');
          }}
        >
          {rows.map((key) => (
            <KeyRow
              key={key.id}
              apiKey={key}
              ofActiveKeys={filter.status === 'active'}
              isSelected={selection.has(key.id)}
              select={selection.select}
              menuId={menuId}
              isOpen={key === openKey}
              setOpen={setOpen}
            />
          ))}
        </tbody>
        {isPending ? <Placeholders /> : null}
      </table>
      {open && openKey && menus ? (
        <menus.RowMenu
          key={openKey.id}
          id={menuId}
          button={open.button}
          start={open.start}
          apiKey={openKey}
          // Another menu may have been opened instead.
          onClose={() => setOpen((now) => (now?.keyId === openKey.id ? null : now))}
          openPanel={openPanel}
        />
      ) : null}
    </div>
  );
}

/**
 * A click beside the link opens the key as well, unless it ends the selection of text or selects a word of a preview.
 * With the keyboard, the link does the same.
 */
function openRow(event: MouseEvent): void {
  if (!(event.target instanceof Element) || event.target.closest('a, button, code, label')) return;
  if (window.getSelection()?.isCollapsed === false) return;
  const link = event.target.closest('tr')?.querySelector('a');
  // With the same modifier keys, so that Ctrl opens a new tab.
  link?.dispatchEvent(new globalThis.MouseEvent('click', event.nativeEvent));
}

interface KeyRowProps {
  apiKey: ListedKey;
  /** Whether the list has no other keys. */
  ofActiveKeys: boolean;
  isSelected: boolean;
  select: Selection['select'];
  menuId: string;
  isOpen: boolean;
  setOpen: (menu: OpenRowMenu | null) => void;
}

const KeyRow = memo(function KeyRow(props: KeyRowProps) {
  const { apiKey, ofActiveKeys, isSelected, select, menuId, isOpen, setOpen } = props;
  return (
    <tr className={isOpen ? 'keys__row--open' : undefined}>
      <td className="keys__check">
        {isSelectable(apiKey) ? (
          <label className="check">
            <input
              type="checkbox"
              aria-label={`Select ${apiKey.name}`}
              checked={isSelected}
              onChange={({ nativeEvent }) =>
                select({
                  row: apiKey.id,
                  withRange: 'shiftKey' in nativeEvent && nativeEvent.shiftKey === true,
                })
              }
            />
          </label>
        ) : null}
      </td>
      <td className="keys__name">
        <Link
          to="/settings/api/$keyId"
          params={{ keyId: apiKey.id }}
          className="keys__link"
          title={apiKey.name}
          translate="no"
          dir="auto"
        >
          {apiKey.name}
        </Link>
        {apiKey.scopes.length > 0 ? (
          <span className="table__more" translate="no">
            {apiKey.scopes.join(', ')}
          </span>
        ) : null}
      </td>
      <td className="keys__preview">
        <KeyPreview preview={apiKey.preview} status={apiKey.status} />
      </td>
      <td className="keys__created">
        <RelativeTime at={apiKey.createdAt} />
      </td>
      <td className={`keys__used ${apiKey.lastUsedAt ? '' : 'keys__none'}`}>
        {apiKey.lastUsedAt ? <RelativeTime at={apiKey.lastUsedAt} /> : 'Never'}
      </td>
      <td className={`keys__expires ${apiKey.expiresAt ? '' : 'keys__none'}`}>
        {apiKey.expiresAt ? <Day at={apiKey.expiresAt} /> : 'Never'}
      </td>
      <td className="keys__number">
        <RecentRequests usage={apiKey.usage} />
      </td>
      <td className="keys__status">
        <RowStatus apiKey={apiKey} ofActiveKeys={ofActiveKeys} />
      </td>
      <td className="keys__actions">
        <MenuButton
          className="row-menu"
          aria-label={`Actions for ${apiKey.name}`}
          data-key={apiKey.id}
          menuId={menuId}
          isOpen={isOpen}
          onOpen={(menu) => setOpen({ ...menu, keyId: apiKey.id })}
          onClose={() => setOpen(null)}
        >
          <Ellipsis size={16} aria-hidden />
        </MenuButton>
      </td>
    </tr>
  );
});

/** Selects all rows that are shown; or deselects everything, if all of them are selected. */
function SelectAll({ rows, selection }: Pick<KeyListTableProps, 'rows' | 'selection'>) {
  const selectable = rows.filter(isSelectable);
  const isSome = selection.keys.length > 0;
  const isAll = isSome && selectable.every(({ id }) => selection.has(id));
  if (selectable.length === 0) return null;
  return (
    <label className="check">
      <input
        type="checkbox"
        aria-label="Select all keys shown"
        checked={isAll}
        ref={(box) => {
          if (box) box.indeterminate = isSome && !isAll;
        }}
        onChange={() => selection.select(isAll ? 'none' : 'all')}
      />
    </label>
  );
}

function Day({ at }: { at: string }) {
  return (
    <time dateTime={at} title={`${exactTime(at)}\n${utcTime(at)}`}>
      {formatDay(at)}
    </time>
  );
}

/** Accepted requests in the last 24 hours, and rejected ones if there are any. */
function RecentRequests({ usage }: Pick<ListedKey, 'usage'>) {
  // A key that was just created is shown before the list is fetched again.
  const { accepted, refused } = usage ?? { accepted: 0, refused: 0 };
  return (
    <>
      <span className={accepted === 0 ? 'keys__none' : undefined}>{formatNumber(accepted)}</span>
      <span className="keys__unit">{accepted === 1 ? ' request in 24 hours' : ' requests in 24 hours'}</span>
      {refused > 0 ? (
        <span className="table__more keys__rejected">{`${formatNumber(refused)} rejected`}</span>
      ) : null}
    </>
  );
}

const placeholders = ['a', 'b', 'c', 'd', 'e'];

function Placeholders() {
  return (
    <tbody aria-hidden>
      {placeholders.map((row) => (
        <tr key={row}>
          <td className="keys__check" />
          <td className="keys__name">
            <Skeleton width="long" />
          </td>
          <td className="keys__preview">
            <Skeleton width="middle" />
          </td>
          <td className="keys__created">
            <Skeleton width="short" />
          </td>
          <td className="keys__used">
            <Skeleton width="short" />
          </td>
          <td className="keys__expires">
            <Skeleton width="short" />
          </td>
          <td className="keys__number" />
          <td className="keys__status" />
          <td className="keys__actions" />
        </tr>
      ))}
    </tbody>
  );
}
