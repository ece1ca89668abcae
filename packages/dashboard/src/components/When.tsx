import './When.css';
import { exactTime, relativeTime, utcTime } from '../dates/dates.ts';
import { useMinute } from '../dates/use-minute.ts';

/**
 * "3 days ago", with the exact time in the reader's zone and in UTC on hover. A keyboard reaches the exact one,
 * too: it shows while the link in the same row has the focus.
 */
export function When({ at }: { at: string }) {
  useMinute();
  return (
    <time className="when" dateTime={at} title={`${exactTime(at)}\n${utcTime(at)}`}>
      <span>{relativeTime(at)}</span>
      <span className="when__exact" aria-hidden>
        {exactTime(at)}
      </span>
    </time>
  );
}

/** The exact time, for a page with room for it. */
export function ExactTime({ at }: { at: string }) {
  return (
    <time dateTime={at} title={utcTime(at)}>
      {exactTime(at)}
    </time>
  );
}
