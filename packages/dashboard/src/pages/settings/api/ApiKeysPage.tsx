import './ApiKeysPage.css';
import type { KeyList, ListedKey } from '@soku/contract/keys';
import {
  type InfiniteData,
  keepPreviousData,
  type UseInfiniteQueryResult,
  useInfiniteQuery,
} from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Ellipsis, Plus } from 'lucide-react';
import { useEffect, useEffectEvent, useId, useState } from 'react';
import { keyListOptions, type ListFilter } from '../../../api/keys.ts';
import { Button, buttonClass } from '../../../components/Button.tsx';
import { formatNumber } from '../../../components/format-number.ts';
import { ListFoot } from '../../../components/ListFoot.tsx';
import { LoadFailed } from '../../../components/LoadFailed.tsx';
import { MenuButton, type OpenMenu } from '../../../components/MenuButton.tsx';
import { OnDemand, useOnDemandOrThrow } from '../../../components/on-demand.ts';
import { PageHead } from '../../../components/PageHead.tsx';
import { useSingleKeyShortcut } from '../../../components/shortcuts.ts';
import { type Panel, usePanel } from '../../../components/use-panel.ts';
import { toListFilter } from '../../search.ts';
import { formatKeyCount } from './bulk/count-keys.ts';
import { KeyListTable } from './KeyListTable.tsx';
import { ListControls } from './ListControls.tsx';
import { preloadMenus, useMenus } from './list/use-menus.ts';
import { type Selection, useSelection } from './list/use-selection.ts';
import { useAfterPanel, useAfterRevoke } from './use-after-revoke.ts';
import { preloadKeyPanels, useKeyPanels } from './use-key-panels.ts';
import { WorkspaceLimit } from './WorkspaceLimit.tsx';

const prepare = { onPointerEnter: preloadKeyPanels, onFocus: preloadKeyPanels };

function preloadMenusAndPanels(): void {
  preloadMenus();
  preloadKeyPanels();
}

const prepareMenus = { onPointerEnter: preloadMenusAndPanels, onFocus: preloadMenusAndPanels };

const route = getRouteApi('/shell/signed-in/settings/api');

export function ApiKeysPage() {
  const search = route.useSearch();
  const filter = toListFilter(search);
  const list = useInfiniteQuery({ ...keyListOptions(filter), placeholderData: keepPreviousData });
  const { openPanel, closePanel } = usePanel();
  const rows = rowsOf(list.data?.pages ?? []);
  const counts = list.data?.pages[0]?.counts;
  const selection = useSelection(rows, filter);
  const afterRevoke = useAfterRevoke(rows, search.panel);
  const afterPanel = useAfterPanel(search.panel);
  const KeyPanels = useKeyPanels(search.panel !== undefined);
  const shortcut = useSingleKeyShortcut('n');
  const generate = () => openPanel('generate');
  useSelectionForPanel(search.panel, selection, closePanel);

  return (
    <>
      <PageHead
        title="API keys"
        action={
          <div className="page-head__actions keys-actions">
            <Button variant="primary" icon={Plus} shortcut={shortcut} onClick={generate} {...prepare}>
              Generate New Key
            </Button>
            <MoreActions openPanel={openPanel} />
          </div>
        }
      >
        <span>
          Give each program its own key, so that you can revoke one without affecting others.{' '}
          <Link to="/help/api-key-management">Best practices</Link>
        </span>
      </PageHead>
      <div {...prepareMenus}>
        <ListControls filter={filter} counts={counts} rows={rows} />
      </div>
      <List list={list} rows={rows} filter={filter} selection={selection} />
      <SelectedKeys selection={selection} onRevoke={() => openPanel('revoke-selected')} />
      {search.panel && KeyPanels ? (
        <KeyPanels
          search={search}
          selected={selection.keys}
          onClose={closePanel}
          onRevoked={(key, revocation) => {
            afterRevoke(key, revocation);
            closePanel();
          }}
          onRevokedMany={(message) => {
            afterPanel({ message });
            selection.select('none');
            closePanel();
          }}
        />
      ) : null}
    </>
  );
}

/**
 * Closes the dialog of the selected keys if none is selected, such as after a reload. Otherwise it would open with the
 * first key that is selected.
 */
function useSelectionForPanel(panel: Panel | undefined, { keys }: Selection, closePanel: () => void): void {
  const check = useEffectEvent(() => {
    if (panel === 'revoke-selected' && keys.length === 0) closePanel();
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: after a revoke, nothing is selected while the dialog closes
  useEffect(() => check(), [panel]);
}

/** What concerns all keys. */
function MoreActions({ openPanel }: { openPanel: (panel: Panel) => void }) {
  const id = useId();
  const [open, setOpen] = useState<OpenMenu | null>(null);
  const close = () => setOpen(null);
  const menus = useMenus(open !== null);
  return (
    <div {...prepareMenus}>
      <MenuButton
        className={buttonClass('secondary', 'keys-actions__more')}
        aria-label="More actions"
        menuId={id}
        isOpen={open !== null}
        onOpen={setOpen}
        onClose={close}
      >
        <Ellipsis size={16} aria-hidden />
      </MenuButton>
      {open && menus ? <menus.PageMenu id={id} {...open} openPanel={openPanel} onClose={close} /> : null}
    </div>
  );
}

/** Most visits select nothing. */
const bulkBar = new OnDemand(async () => (await import('./bulk/BulkBar.tsx')).BulkBar);

function SelectedKeys({ selection, onRevoke }: { selection: Selection; onRevoke: () => void }) {
  const { keys, select } = selection;
  const BulkBar = useOnDemandOrThrow(bulkBar, keys.length > 0);
  return (
    <>
      {/* Screen readers announce only what changes in a region that was there before. */}
      <p className="visually-hidden" role="status">
        {keys.length === 0 ? '' : `${formatKeyCount(keys.length)} selected`}
      </p>
      {BulkBar && keys.length > 0 ? (
        <BulkBar keys={keys} onRevoke={onRevoke} onClear={() => select('none')} />
      ) : null}
    </>
  );
}

/** Most lists have rows. */
const emptyList = new OnDemand(async () => (await import('./EmptyList.tsx')).EmptyList);

interface ListProps {
  list: UseInfiniteQueryResult<InfiniteData<KeyList>>;
  rows: ListedKey[];
  filter: ListFilter;
  selection: Selection;
}

/** The keys, or why there are none, and what is below them. */
function List({ list, rows, filter, selection }: ListProps) {
  const { openPanel } = usePanel();
  const counts = list.data?.pages[0]?.counts;
  const isEmpty = list.data !== undefined && rows.length === 0;
  const EmptyList = useOnDemandOrThrow(emptyList, isEmpty);
  const isPending = (list.isPending && !list.error) || (isEmpty && !EmptyList);
  return (
    <>
      {isPending || rows.length > 0 ? (
        <div {...prepareMenus}>
          <KeyListTable
            rows={rows}
            filter={filter}
            isPending={isPending}
            stale={list.isPlaceholderData}
            selection={selection}
            openPanel={openPanel}
          />
        </div>
      ) : null}
      {list.isLoadingError ? <LoadFailed error={list.error} onRetry={list.refetch} /> : null}
      {isEmpty && EmptyList ? (
        <EmptyList filter={filter} counts={counts} onGenerate={() => openPanel('generate')} />
      ) : null}
      {isPending ? null : (
        <ListFoot
          list={list}
          shown={rows.length}
          size={sizeOf(rows.length, counts?.[filter.status] ?? rows.length)}
          rows=".keys__link"
        />
      )}
      {/* Hidden while the list loads, because the rows would push it down. */}
      {isPending ? null : (
        <div {...prepare}>
          <WorkspaceLimit openPanel={openPanel} />
        </div>
      )}
    </>
  );
}

/** Removes duplicates: if keys are added while pages are loading, a key can be on two pages. */
function rowsOf(pages: KeyList[]): ListedKey[] {
  const rows = new Map(pages.flatMap((page) => page.data).map((key) => [key.id, key]));
  return [...rows.values()];
}

function sizeOf(shown: number, total: number): string {
  if (shown === 0) return '';
  if (shown < total) return `${formatNumber(shown)} of ${formatNumber(total)} keys`;
  return total === 1 ? '1 key' : `${formatNumber(total)} keys`;
}
