import { Link } from '@tanstack/react-router';
import { Code } from '../../components/Code.tsx';
import { Part } from './HelpPage.tsx';

/** What a program does with a limit: read where it stands, and wait when it is told to. */
export function Limits() {
  return (
    <Part id="limits" title="Limits">
      <p>
        A key may make a certain number of requests a minute: its own number, or else that of the workspace.
        Each answer tells where it stands:
      </p>
      <Code label="header fields of an answer" code={fields} />
      <ul className="prose__list">
        <li>
          <code translate="no">RateLimit-Policy</code> names the limit: <code translate="no">q</code> requests
          in <code translate="no">w</code> seconds.
        </li>
        <li>
          <code translate="no">RateLimit</code>: <code translate="no">r</code> requests are left, and in{' '}
          <code translate="no">t</code> seconds there are more.
        </li>
        <li>
          <code translate="no">X-RateLimit-Limit</code> and its two neighbours say the same under names that
          many programs know; Reset is in seconds from now.
        </li>
      </ul>
      <p>
        A request beyond the limit is answered <code translate="no">429 Too Many Requests</code> with the code{' '}
        <Link to="/help/api-troubleshooting" hash="rate_limited">
          rate_limited
        </Link>
        . Wait as many seconds as <code translate="no">Retry-After</code> says, then go on: a refused request
        uses nothing up. The minute slides: what counts are the last 60 seconds, not the minute of the clock.
      </p>
      <p>
        A key without a limit gets none of these fields. Whoever sends keys that are malformed or unknown is
        slowed down by address in the same way; a good key from the same address still passes.
      </p>
    </Part>
  );
}

const fields = `RateLimit-Policy: "key";q=1000;w=60
RateLimit: "key";r=942;t=17
X-RateLimit-Limit: 1000
X-RateLimit-Remaining: 942
X-RateLimit-Reset: 17`;
