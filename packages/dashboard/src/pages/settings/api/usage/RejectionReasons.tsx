import './RejectionReasons.css';
import type { UsageHistory } from '@soku/contract/usage-history';
import type { UsageRange } from '../../../../api/usage-history.ts';
import { percent } from '../../../../components/ChartMarks.tsx';
import { formatNumber } from '../../../../components/format-number.ts';
import { Section } from '../../../../components/Section.tsx';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { ReasonName } from '../../../overview/ReasonName.tsx';
import { reasonsOf } from '../../../overview/reasons.ts';
import { rangeLabels } from './slots.ts';

interface RejectionReasonsProps {
  /** Undefined while loading. */
  usage: UsageHistory | undefined;
  range: UsageRange;
}

/** Why requests with a key were rejected, the most frequent reason first. */
export function RejectionReasons({ usage, range }: RejectionReasonsProps) {
  const reasons = usage && reasonsOf(usage.refusedBy);
  const total = usage?.refused ?? 0;
  return (
    <Section
      title="Rejected by reason"
      action={<p className="reasons__period">{`last ${rangeLabels[range]}`}</p>}
    >
      <ul>
        {reasons?.map((reason) => (
          <li key={reason.name} className="reason">
            <ReasonName reason={reason} className="reason__name" />
            <span className="reason__count">{formatNumber(reason.count)}</span>
            <svg className="reason__bar" height="8" aria-hidden="true">
              <rect className="reason__rest" width="100%" height="8" />
              <rect className="reason__part" width={percent(reason.count / total)} height="8" />
            </svg>
          </li>
        ))}
        {reasons?.length === 0 ? (
          <li key="none" className="reason reason--none">
            {`None in the last ${rangeLabels[range]}.`}
          </li>
        ) : null}
        {reasons ? null : (
          <li key="loading" className="reason" aria-hidden>
            <Skeleton width="middle" />
          </li>
        )}
      </ul>
    </Section>
  );
}
