import './ActivityTab.css';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { auditOptions } from '../../../../api/audit.ts';
import { EmptyState } from '../../../../components/EmptyState.tsx';
import { ListFoot } from '../../../../components/ListFoot.tsx';
import { LoadFailed } from '../../../../components/LoadFailed.tsx';
import { Section } from '../../../../components/Section.tsx';
import { AuditTable, AuditTableSkeleton } from '../../audit/AuditTable.tsx';
import { countEntries, eventsOf } from '../../audit/entries.ts';

/** The audit events of a key: what was done to it, and what it did. */
export function ActivityTab({ keyId }: { keyId: string }) {
  const list = useInfiniteQuery(auditOptions({ keyId }));
  const events = eventsOf(list.data?.pages ?? []);
  return (
    <div className="activity">
      <Section
        title="Who changed what"
        lead="Changes to this key, and changes made with it."
        action={
          <Link to="/settings/audit" search={{ key: keyId }}>
            Audit log for this key
          </Link>
        }
      >
        {list.isPending ? <AuditTableSkeleton byDay /> : null}
        {list.isLoadingError ? <LoadFailed error={list.error} onRetry={list.refetch} /> : null}
        {events.length > 0 ? (
          <AuditTable title="Activity" events={events} search={{ key: keyId }} byDay />
        ) : null}
        {list.data && events.length === 0 ? (
          <EmptyState title="No entries">
            <p>The audit log no longer has entries for this key.</p>
          </EmptyState>
        ) : null}
      </Section>
      <ListFoot
        list={list}
        shown={events.length}
        size={countEntries(events.length, list.hasNextPage)}
        rows=".row-toggle"
      />
    </div>
  );
}
