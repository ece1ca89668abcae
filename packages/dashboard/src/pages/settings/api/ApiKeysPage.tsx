import './ApiKeysPage.css';
import type { KeyList, ListedKey } from '@soku/contract/keys';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { keyListOptions, type ListFilter } from '../../../api/keys.ts';
import { Button } from '../../../components/Button.tsx';
import { formatNumber } from '../../../components/format-number.ts';
import { ListFoot } from '../../../components/ListFoot.tsx';
import { LoadFailed } from '../../../components/LoadFailed.tsx';
import { PageHead } from '../../../components/PageHead.tsx';
import { useSingleKey } from '../../../components/shortcuts.ts';
import { usePanel } from '../../../components/use-panel.ts';
import { toListFilter } from '../../search.ts';
import { EmptyList } from './EmptyList.tsx';
import { KeyListTable, KeyTableSkeleton } from './KeyListTable.tsx';
import { ListControls } from './ListControls.tsx';
import { preloadMenus } from './list/use-menus.ts';
import { useAfterRevoke } from './use-after-revoke.ts';
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
  const afterRevoke = useAfterRevoke(rows, search.panel);
  const KeyPanels = useKeyPanels(search.panel !== undefined);
  const shortcut = useSingleKey('n');
  const generate = () => openPanel('generate');

  return (
    <>
      <PageHead
        title="API keys"
        action={
          <Button variant="primary" icon={Plus} shortcut={shortcut} onClick={generate} {...prepare}>
            Generate New Key
          </Button>
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
      {list.isPending && !list.error ? <KeyTableSkeleton filter={filter} /> : null}
      {list.isLoadingError ? <LoadFailed error={list.error} onRetry={list.refetch} /> : null}
      {list.data ? <Rows rows={rows} filter={filter} counts={counts} stale={list.isPlaceholderData} /> : null}
      <ListFoot
        list={list}
        shown={rows.length}
        size={sizeOf(rows.length, counts?.[filter.status] ?? rows.length)}
        rows=".keys__link"
      />
      {/* Hidden while the list loads, because the rows would push it down. */}
      {list.isPending && !list.error ? null : (
        <div {...prepare}>
          <WorkspaceLimit onChange={() => openPanel('limit')} />
        </div>
      )}
      {search.panel && KeyPanels ? (
        <KeyPanels
          search={search}
          onClose={closePanel}
          onRevoked={(key, revocation) => {
            afterRevoke(key, revocation);
            closePanel();
          }}
        />
      ) : null}
    </>
  );
}

function Rows(props: { rows: ListedKey[]; filter: ListFilter; counts: KeyList['counts']; stale: boolean }) {
  const { openPanel } = usePanel();
  const { rows, filter, counts, stale } = props;
  if (rows.length === 0) {
    return <EmptyList filter={filter} counts={counts} onGenerate={() => openPanel('generate')} />;
  }
  return (
    <div {...prepareMenus}>
      <KeyListTable
        rows={rows}
        filter={filter}
        stale={stale}
        onRename={(key) => openPanel('rename', key.id)}
        onRevoke={(key) => openPanel('revoke', key.id)}
      />
    </div>
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
