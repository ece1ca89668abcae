import './HygienePage.css';
import { type Hygiene, type HygieneKind, hygieneKindSchema } from '@soku/contract/hygiene';
import type { Key } from '@soku/contract/keys';
import {
  type InfiniteData,
  keepPreviousData,
  type UseInfiniteQueryResult,
  useInfiniteQuery,
} from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { hygieneOptions } from '../../../../api/hygiene.ts';
import { Button } from '../../../../components/Button.tsx';
import { EmptyState } from '../../../../components/EmptyState.tsx';
import { formatNumber } from '../../../../components/format-number.ts';
import { ListFoot } from '../../../../components/ListFoot.tsx';
import { LoadFailed } from '../../../../components/LoadFailed.tsx';
import { PageHead } from '../../../../components/PageHead.tsx';
import { usePanel } from '../../../../components/use-panel.ts';
import { formatDay } from '../../../../dates/dates.ts';
import { Breadcrumbs } from '../../Breadcrumbs.tsx';
import { formatKeyCount } from '../bulk/count-keys.ts';
import { useAfterRevoke } from '../use-after-revoke.ts';
import { useKeyPanels } from '../use-key-panels.ts';
import { FindingsTable, FindingsTableSkeleton } from './FindingsTable.tsx';
import { kindTexts } from './kinds.ts';
import { useFocusAfterAction } from './use-focus-after-action.ts';

const route = getRouteApi('/shell/signed-in/settings/api/hygiene');

export function HygienePage() {
  const search = route.useSearch();
  const kind = useKind(search.kind);
  const list = useInfiniteQuery({ ...hygieneOptions(kind ?? firstKind), placeholderData: keepPreviousData });
  const { openPanel } = usePanel();
  const findings = list.data?.pages.flatMap((page) => page.data) ?? [];
  const counts = list.data?.pages[0]?.counts;
  const keys = findings.map(({ key }) => key);
  const isPending = (list.isPending || kind === undefined) && !list.error;

  return (
    <>
      <Breadcrumbs page="Hygiene" />
      <PageHead title="Hygiene" action={<Button onClick={() => openPanel('policies')}>Policies</Button>}>
        Keys that need attention. Only your policies disable or revoke a key automatically.
      </PageHead>
      <Kinds chosen={kind} counts={counts} />
      {isPending ? <FindingsTableSkeleton /> : null}
      {list.isLoadingError ? <LoadFailed error={list.error} onRetry={list.refetch} /> : null}
      {isPending || kind === undefined ? null : <Findings kind={kind} list={list} />}
      <ListFoot
        list={list}
        shown={findings.length}
        size={sizeOf(findings.length, kind && counts?.[kind])}
        rows=".findings__link"
      />
      <Dialogs keys={keys} />
    </>
  );
}

/** The dialog that the URL names, if any. */
function Dialogs({ keys }: { keys: Key[] }) {
  const { panel, key } = route.useSearch();
  const { closePanel } = usePanel();
  const afterRevoke = useAfterRevoke(keys, panel);
  useFocusAfterAction(keys, panel === undefined ? undefined : key);
  const KeyPanels = useKeyPanels(panel !== undefined);
  if (!(panel && KeyPanels)) return null;
  return (
    <KeyPanels
      search={{ panel, key }}
      selected={[]}
      onClose={closePanel}
      onRevoked={(revoked, revocation) => {
        afterRevoke(revoked, revocation);
        closePanel();
      }}
      onRevokedMany={closePanel}
    />
  );
}

const firstKind: HygieneKind = 'rotation_unfinished';

/**
 * The kind that the URL names, otherwise the first one that any key had when the page was opened: the list must not
 * change to another kind after its last key was handled.
 *
 * @returns undefined until it is known
 */
function useKind(named: string | undefined): HygieneKind | undefined {
  const parsed = hygieneKindSchema.safeParse(named);
  const [chosen, setChosen] = useState<HygieneKind>();
  const isOpen = !parsed.success && chosen === undefined;
  const first = useInfiniteQuery({ ...hygieneOptions(firstKind), enabled: isOpen });
  const counts = first.data?.pages[0]?.counts;
  if (isOpen && counts !== undefined)
    setChosen(hygieneKindSchema.options.find((kind) => counts[kind] > 0) ?? firstKind);
  return parsed.success ? parsed.data : chosen;
}

interface FindingsProps {
  kind: HygieneKind;
  list: Pick<UseInfiniteQueryResult<InfiniteData<Hygiene>>, 'data' | 'isPlaceholderData'>;
}

function Findings({ kind, list: { data, isPlaceholderData } }: FindingsProps) {
  if (data === undefined) return null;
  const findings = data.pages.flatMap((page) => page.data);
  const [first] = findings;
  // While another kind loads, the rows are still those of the previous one. That it has none says nothing about this one.
  if (first === undefined && isPlaceholderData) return <FindingsTableSkeleton />;
  if (first === undefined) return <Nothing kind={kind} page={data.pages[0]} />;
  return <FindingsTable kind={first.kind} findings={findings} stale={isPlaceholderData} />;
}

/** The kinds, each with its number of keys. */
function Kinds({ chosen, counts }: { chosen: HygieneKind | undefined; counts: Hygiene['counts'] }) {
  const navigate = useNavigate({ from: '/settings/api/hygiene' });
  return (
    <fieldset className="finding-kinds">
      <legend className="visually-hidden">Kind</legend>
      {hygieneKindSchema.options.map((kind) => (
        <label key={kind} className="finding-kinds__choice">
          <input
            type="radio"
            className="visually-hidden"
            name="kind"
            value={kind}
            checked={chosen === kind}
            onChange={() => navigate({ search: { kind }, replace: true, resetScroll: false })}
          />
          <span className="finding-kinds__count">{counts ? formatNumber(counts[kind] ?? 0) : '–'}</span>
          <span className="finding-kinds__name">{kindTexts[kind].name}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Nothing({ kind, page }: { kind: HygieneKind; page: Hygiene | undefined }) {
  const isOfUsage = ['idle_30_days', 'idle_90_days', 'never_used'].includes(kind);
  return (
    <EmptyState title={kindTexts[kind].none}>
      <p>
        {isOfUsage && page
          ? `Only the time since ${formatDay(page.usageCompleteSince)} counts, because earlier uses may be missing.`
          : 'There is nothing to do here.'}
      </p>
    </EmptyState>
  );
}

function sizeOf(shown: number, total: number | undefined): string {
  if (shown === 0) return '';
  return total !== undefined && shown < total
    ? `${formatNumber(shown)} of ${formatKeyCount(total)}`
    : formatKeyCount(shown);
}
