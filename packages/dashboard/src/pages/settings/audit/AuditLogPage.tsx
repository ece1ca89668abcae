import type { AuditEvent } from '@soku/contract/audit';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type AuditView, auditOptions, isFiltered } from '../../../api/audit.ts';
import { buttonClass } from '../../../components/Button.tsx';
import { EmptyState } from '../../../components/EmptyState.tsx';
import { ListFoot } from '../../../components/ListFoot.tsx';
import { LoadFailed } from '../../../components/LoadFailed.tsx';
import { PageHead } from '../../../components/PageHead.tsx';
import type { AuditSearch } from '../../search.ts';
import { AuditFilters, focusFilters } from './AuditFilters.tsx';
import { AuditTable, AuditTableSkeleton } from './AuditTable.tsx';
import { ExportButton } from './ExportButton.tsx';
import { countEntries, eventsOf } from './entries.ts';
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
      {list.data ? (
        <Entries events={events} view={view} search={search} stale={list.isPlaceholderData} />
      ) : null}
      <ListFoot
        list={list}
        shown={events.length}
        size={countEntries(events.length, list.hasNextPage)}
        rows=".row-toggle"
      />
      {list.isPending ? null : <VerifyExport />}
    </>
  );
}

interface EntriesProps {
  events: AuditEvent[];
  view: AuditView;
  search: AuditSearch;
  stale: boolean;
}

function Entries({ events, view, search, stale }: EntriesProps) {
  if (events.length > 0)
    return <AuditTable title="Audit log" events={events} search={search} stale={stale} />;
  if (isFiltered(view)) {
    return (
      <EmptyState title="No matching entries">
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
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No entries yet">
      <p>Sign-ins and changes to keys, settings and accounts appear here.</p>
    </EmptyState>
  );
}
