import './RelativeTime.css';
import { exactTime, relativeTime, utcTime } from '../dates/dates.ts';
import { useRenderEveryMinute } from '../dates/use-render-every-minute.ts';

/**
 * A relative time such as "3 days ago", with the exact time in the user's time zone and in UTC on hover. For keyboard
 * users, the exact time is shown while the link in the same row has the focus.
 */
export function RelativeTime({ at }: { at: string }) {
  useRenderEveryMinute();
  return (
    <time className="when" dateTime={at} title={`${exactTime(at)}\n${utcTime(at)}`}>
      <span>{relativeTime(at)}</span>
      <span className="when__exact" aria-hidden>
        {exactTime(at)}
      </span>
    </time>
  );
}

/** The exact time, for pages with enough room. */
export function ExactTime({ at }: { at: string }) {
  return (
    <time dateTime={at} title={utcTime(at)}>
      {exactTime(at)}
    </time>
  );
}
