import './DeliveryDetails.css';
import { escapeHiddenCharacters } from '@soku/contract/visible-text';
import type { Delivery } from '@soku/contract/webhooks';
import { RotateCw } from 'lucide-react';
import { Button } from '../../../../components/Button.tsx';
import { Code } from '../../../../components/Code.tsx';
import { formatNumber } from '../../../../components/format-number.ts';
import { Failure, Notice } from '../../../../components/Notice.tsx';
import { ExactTime } from '../../../../components/RelativeTime.tsx';
import { useCall } from '../../../../components/use-call.ts';

interface DeliveryDetailsProps {
  delivery: Delivery;
  onRedeliver: () => Promise<void>;
}

/** The request and the response of the last attempt, and the outcome of those before it. */
export function DeliveryDetails({ delivery, onRedeliver }: DeliveryDetailsProps) {
  const { busy, error, run } = useCall(onRedeliver, { repeatable: true });
  return (
    <div className="delivery-details">
      <Request request={delivery.request} />
      <Response lastAttempt={delivery.lastAttempt} />
      {delivery.earlierAttempts.length > 0 ? <EarlierAttempts attempts={delivery.earlierAttempts} /> : null}
      <Failure error={error} />
      <div className="delivery-details__actions">
        <Button icon={RotateCw} busy={busy} onClick={run}>
          Redeliver
        </Button>
        <p className="delivery-details__more">
          Sends the same body with the same <code translate="no">webhook-id</code>.
        </p>
      </div>
    </div>
  );
}

function Request({ request: { headers, body } }: Pick<Delivery, 'request'>) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return (
    <section>
      <h3>Request</h3>
      <Code
        head="Headers"
        label="headers of the request"
        code={[...lines, 'webhook-signature: v1,... (not stored)'].join('\n')}
        copied={() => lines.join('\n')}
      />
      <Code
        head="Body, formatted"
        label="body of the request"
        code={escapeLines(formatJson(body))}
        copied={() => body}
      />
    </section>
  );
}

function Response({ lastAttempt }: Pick<Delivery, 'lastAttempt'>) {
  if (lastAttempt === null) {
    return (
      <section>
        <h3>Response</h3>
        <p key="none" className="delivery-details__more">
          No attempt has finished yet.
        </p>
      </section>
    );
  }
  const { at, durationMs, status, body, error } = lastAttempt;
  return (
    <section>
      <h3>Response</h3>
      <p key="attempt" className="delivery-details__more">
        <span>{status === null ? 'No response' : `Status ${status}`}</span>
        <span>{`, after ${formatNumber(durationMs)} ms, on `}</span>
        <ExactTime at={at} />
      </p>
      {error === null ? null : (
        <Notice tone="bad">
          <p>{error}</p>
        </Notice>
      )}
      {body === null || body === '' ? null : (
        <Code
          head="Body, at most 1 kB"
          label="body of the response"
          code={escapeLines(body)}
          copied={() => body}
        />
      )}
      {body === '' ? <p className="delivery-details__more">The body is empty.</p> : null}
    </section>
  );
}

function EarlierAttempts({ attempts }: { attempts: Delivery['earlierAttempts'] }) {
  return (
    <section>
      <h3>Earlier attempts</h3>
      <ol className="attempts">
        {attempts.map(({ at, durationMs, status, error }) => (
          <li key={at} className="attempts__one">
            <ExactTime at={at} />
            <span className="attempts__duration">{`${formatNumber(durationMs)} ms`}</span>
            <span className="attempts__outcome">{error ?? `Delivered (status ${status})`}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function formatJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** The receiver chooses the text. Only the characters that lay out lines stay as they are. */
function escapeLines(text: string): string {
  return text
    .split(/(\r?\n|\t)/)
    .map((part, i) => (i % 2 === 0 ? escapeHiddenCharacters(part) : part))
    .join('');
}
