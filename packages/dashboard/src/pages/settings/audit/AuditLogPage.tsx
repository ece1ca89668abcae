import type { AuditEvent, AuditPage } from '@soku/contract/audit';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type AuditView, auditOptions, isFiltered } from '../../../api/audit.ts';
import { buttonClass } from '../../../components/Button.tsx';
import { Empty } from '../../../components/Empty.tsx';
import { formatNumber } from '../../../components/format-number.ts';
import { ListFoot } from '../../../components/ListFoot.tsx';
import { LoadFailed } from '../../../components/LoadFailed.tsx';
import { PageHead } from '../../../components/PageHead.tsx';
import { AuditFilters, focusFilters } from './AuditFilters.tsx';
import { AuditTable, AuditTableSkeleton } from './AuditTable.tsx';
import { ExportButton } from './ExportButton.tsx';
import { VerifyExport } from './VerifyExport.tsx';
import { toAuditView } from './view.ts';

const route = getRouteApi('/shell/signed-in/settings/audit');

export function AuditLogPage() {
  const search = route.useSearch();
  const view = toAuditView(search);
  const list = useInfiniteQuery({ ...auditOptions(view), placeholderData: keepPreviousData });
  const events = eventsOf(list.data?.pages ?? []);

  return (
    <>
      <PageHead title="Audit log" action={<ExportButton view={view} />}>
        Who changed keys, settings and accounts, who signed in, and from where.
      </PageHead>
      <AuditFilters search={search} view={view} />
      {list.isPending && !list.error ? <AuditTableSkeleton /> : null}
      {list.isLoadingError ? <LoadFailed error={list.error} onRetry={list.refetch} /> : null}
      {list.data ? <Entries events={events} view={view} stale={list.isPlaceholderData} /> : null}
      <ListFoot
        list={list}
        shown={events.length}
        size={sizeOf(events.length, list.hasNextPage)}
        rows=".entry__toggle"
      />
      {list.isPending ? null : <VerifyExport />}
    </>
  );
}

function Entries({ events, view, stale }: { events: AuditEvent[]; view: AuditView; stale: boolean }) {
  if (events.length > 0) return <AuditTable events={events} stale={stale} />;
  if (isFiltered(view)) {
    return (
      <Empty title="No matching entries">
        <p>No audit log entries match these filters.</p>
        <div className="empty__actions">
          <Link
            from="/settings/audit"
            to="."
            search={{}}
            onClick={focusFilters}
            className={buttonClass('secondary')}
          >
            Show all entries
          </Link>
        </div>
      </Empty>
    );
  }
  return (
    <Empty title="No entries yet">
      <p>Sign-ins and changes to keys, settings and accounts appear here.</p>
    </Empty>
  );
}

function sizeOf(shown: number, more: boolean): string {
  if (shown === 0) return 'No entries';
  const count = shown === 1 ? '1 entry' : `${formatNumber(shown)} entries`;
  return more ? `Newest ${count}` : count;
}

/** Removes duplicates: if entries are added while pages are loading, an entry can be on two pages. */
function eventsOf(pages: AuditPage[]): AuditEvent[] {
  const events = new Map(pages.flatMap((page) => page.data).map((event) => [event.id, event]));
  return [...events.values()];
}
