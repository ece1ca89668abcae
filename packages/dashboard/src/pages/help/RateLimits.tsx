import { Link } from '@tanstack/react-router';
import { Code } from '../../components/Code.tsx';
import { HelpSection } from './HelpPage.tsx';

/** How a program reads its rate limit, and how long it waits after a 429. */
export function RateLimits() {
  return (
    <HelpSection id="limits" title="Rate limits">
      <p>
        A key has a rate limit in requests per minute: its own limit or, without one, the default of the
        workspace. Each response to a request that counts against this limit, or exceeds it, reports the
        current state:
      </p>
      <Code label="rate limit headers" code={fields} />
      <ul className="prose__list">
        <li>
          <code translate="no">RateLimit-Policy</code> is the limit: <code translate="no">q</code> requests
          per <code translate="no">w</code> seconds.
        </li>
        <li>
          <code translate="no">RateLimit</code> is the current state: <code translate="no">r</code> requests
          are left, and more become available in <code translate="no">t</code> seconds.
        </li>
        <li>
          The three <code translate="no">X-RateLimit-*</code> headers contain the same values under widely
          used names. <code translate="no">X-RateLimit-Reset</code> is in seconds from now.
        </li>
      </ul>
      <p>
        A request over the limit is rejected with <code translate="no">429 Too Many Requests</code> and the
        code{' '}
        <Link to="/help/api-troubleshooting" hash="rate_limited">
          rate_limited
        </Link>
        . Wait for the number of seconds in <code translate="no">Retry-After</code>, then retry. Rejected
        requests do not count. Requests of the previous minute count in part, so new ones become available
        gradually.
      </p>
      <p>
        Responses for a key without a limit have none of these headers. Requests with malformed or unknown
        keys are limited per IP address in the same way; a valid key from the same address is still accepted.
      </p>
    </HelpSection>
  );
}

const fields = `RateLimit-Policy: "key";q=1000;w=60
RateLimit: "key";r=942;t=17
X-RateLimit-Limit: 1000
X-RateLimit-Remaining: 942
X-RateLimit-Reset: 17`;
