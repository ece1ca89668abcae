import { Link } from '@tanstack/react-router';
import type { UsageRange } from '../../../../api/usage-history.ts';
import { rangeLabels } from './slots.ts';

const ranges: UsageRange[] = ['24h', '7d', '30d', '90d'];

interface RangeSwitchProps {
  range: UsageRange;
  from: '/settings/api/$keyId' | '/';
}

/** Links, so that each range has a URL and Back restores the previous range. */
export function RangeSwitch({ range, from }: RangeSwitchProps) {
  return (
    <nav className="ranges" aria-label="Time range">
      {ranges.map((each) => (
        <Link
          key={each}
          from={from}
          to="."
          search={each === '24h' ? {} : { range: each }}
          className={`ranges__range ${each === range ? 'ranges__range--current' : ''}`}
          activeOptions={{ exact: true, includeSearch: true }}
          resetScroll={false}
        >
          {rangeLabels[each]}
        </Link>
      ))}
    </nav>
  );
}
