import type { WorkspaceUsage } from '@soku/contract/usage';
import { Skeleton } from '../../components/Skeleton.tsx';
import { CsvLink } from '../settings/api/usage/CsvLink.tsx';
import { DayChart } from './DayChart.tsx';
import { DayTable } from './DayTable.tsx';
import { Reasons } from './Reasons.tsx';

/** @param usage undefined while it is loading */
export function Today({ usage }: { usage: WorkspaceUsage | undefined }) {
  return usage ? (
    <>
      <DayChart usage={usage} />
      <div className="day__more">
        <Reasons of={usage.today} />
        <div className="usage__numbers">
          <DayTable usage={usage} />
          <CsvLink range="24h" table="requests">
            Download last 24 hours as CSV
          </CsvLink>
        </div>
      </div>
    </>
  ) : (
    <div className="day--pending" aria-hidden>
      <Skeleton width="full" />
    </div>
  );
}
