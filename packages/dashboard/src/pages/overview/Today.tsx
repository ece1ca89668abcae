import type { WorkspaceUsage } from '@soku/contract/usage';
import { Skeleton } from '../../components/Skeleton.tsx';
import { DayChart } from './DayChart.tsx';
import { DayTable } from './DayTable.tsx';
import { Reasons } from './Reasons.tsx';

/** @param usage undefined while it is loading */
export function Today({ usage }: { usage: WorkspaceUsage | undefined }) {
  return (
    <section className="section">
      {usage ? (
        <>
          <DayChart usage={usage} />
          <div className="day__more">
            <Reasons today={usage.today} />
            <DayTable usage={usage} />
          </div>
        </>
      ) : (
        <div className="day--pending" aria-hidden>
          <Skeleton width="full" />
        </div>
      )}
    </section>
  );
}
