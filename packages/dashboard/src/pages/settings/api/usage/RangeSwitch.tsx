import { Link } from '@tanstack/react-router';
import type { UsageRange } from '../../../../api/usage.ts';
import { rangeLabels } from './slots.ts';

const ranges: UsageRange[] = ['24h', '7d', '30d'];

/** Links, so that each range has a URL and Back restores the previous range. */
export function RangeSwitch({ range }: { range: UsageRange }) {
  return (
    <nav className="ranges" aria-label="Time range">
      {ranges.map((each) => (
        <Link
          key={each}
          from="/settings/api/$keyId"
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
