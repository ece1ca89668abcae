import { isErrorCode } from '@soku/contract/error-codes';
import { Link } from '@tanstack/react-router';
import { Code } from '../../components/Code.tsx';
import type { TriedResponse } from './send-request.ts';

/** The response to "Try it": the status is announced, the rest is read in place. */
export function TriedResponseView({ of, response }: { of: string; response: TriedResponse | null }) {
  return (
    <div className="tried-response">
      <p className="tried-response__status" role="status">
        {response ? (
          <span>
            <strong className={response.ok ? 'tried-response__good' : 'tried-response__bad'}>
              {response.status}
            </strong>{' '}
            <span className="tried-response__time">{`${response.milliseconds} ms`}</span>
          </span>
        ) : null}
      </p>
      {response ? <Details of={of} response={response} /> : null}
    </div>
  );
}

function Details({ of, response: { code, headers, body, isCut } }: { of: string; response: TriedResponse }) {
  return (
    <>
      {code !== null && isErrorCode(code) ? (
        <p>
          What it means:{' '}
          <Link to="/help/api-troubleshooting" hash={code} target="_blank">
            <code translate="no">{code}</code>
          </Link>
        </p>
      ) : null}
      <Code
        head="Headers"
        label={`response headers: ${of}`}
        code={headers.map(([name, value]) => `${name}: ${value}`).join('\n')}
      />
      {body === '' ? <p>The response has no body.</p> : null}
      {body === '' ? null : <Code head="Body" label={`response body: ${of}`} code={body} />}
      {isCut ? <p>Only the beginning of the body is shown.</p> : null}
    </>
  );
}
