import './EntryDetails.css';
import type { AuditEvent, Changes, Details } from '@soku/contract/audit';
import { keyIdSchema } from '@soku/contract/keys';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { CopyButton } from '../../../components/CopyButton.tsx';
import type { Elements } from '../../../components/elements.ts';
import { formatNumber } from '../../../components/format-number.ts';
import { Notice } from '../../../components/Notice.tsx';
import { ExactTime } from '../../../components/RelativeTime.tsx';
import { UntrustedText } from '../../../components/UntrustedText.tsx';
import { relativeTime } from '../../../dates/dates.ts';
import { useRenderEveryMinute } from '../../../dates/use-render-every-minute.ts';
import type { AuditSearch } from '../../search.ts';

interface EntryDetailsProps {
  event: AuditEvent;
  /** The filters of the list that contains the entry. */
  search: AuditSearch;
}

/** All details of an entry. */
export function EntryDetails({ event, search }: EntryDetailsProps) {
  const { actor, target, changes, details, unreadable } = event;
  useRenderEveryMinute();
  return (
    <div className="entry-details">
      {unreadable ? <Unreadable fields={unreadable} /> : null}
      {changes ? <ChangeTable changes={changes} /> : null}
      {details ? <DetailTable details={details} /> : null}
      <dl>
        <Fact name="Time">
          <span>
            <ExactTime at={event.at} />{' '}
            <span className="entry-details__soft">{`(${relativeTime(event.at)})`}</span>
          </span>
        </Fact>
        <Fact name="Actor">
          <Party name={actor.name} id={actor.id}>
            {search.actor === actor.id ? null : (
              <Link to="/settings/audit" search={{ ...search, actor: actor.id }}>
                Only this actor
              </Link>
            )}
          </Party>
        </Fact>
        <Fact name="Target">
          <Party name={target.name} id={target.id}>
            {target.kind !== 'key' || search.key === target.id ? null : (
              <Link to="/settings/audit" search={{ ...search, key: target.id }}>
                Only this key
              </Link>
            )}
          </Party>
        </Fact>
        <Fact name="Address">
          <Value value={actor.address} />
        </Fact>
        <Fact name="Client">
          <Value value={actor.userAgent} />
        </Fact>
        <Fact name="Request ID">
          {actor.requestId === null ? <Value value={null} /> : <Id id={actor.requestId} what="request ID" />}
        </Fact>
        <Fact name="Entry ID">
          <Id id={event.id} what="entry ID" />
        </Fact>
        <Fact name="Seal">
          <Seal event={event} />
        </Fact>
      </dl>
    </div>
  );
}

function Seal({ event: { sequence, hash, unreadable } }: { event: AuditEvent }) {
  if (sequence === null || hash === null) {
    return <span key="none">{unreadable ? 'Unreadable' : 'Not sealed yet'}</span>;
  }
  return (
    <span key="seal">
      <span>{`Number ${formatNumber(sequence)}`}</span>{' '}
      <code className="entry-details__soft" translate="no">
        {hash}
      </code>
    </span>
  );
}

function Unreadable({ fields }: { fields: string[] }) {
  return (
    <Notice tone="bad">
      <p>
        <span>This entry was edited in the database. Unreadable fields: </span>
        <code translate="no">{fields.join(', ')}</code>
      </p>
    </Notice>
  );
}

function ChangeTable({ changes }: { changes: Changes }) {
  return (
    <table className="changes">
      <thead>
        <tr>
          <th scope="col">Changed</th>
          <th scope="col">From</th>
          <th scope="col">To</th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(changes).map(([field, { from, to }]) => (
          <tr key={field}>
            <FieldName field={field} />
            <td className="changes__from">
              <Value field={field} value={from} />
            </td>
            <td className="changes__to">
              <Value field={field} value={to} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function DetailTable({ details }: { details: Details }) {
  return (
    <table className="changes">
      <thead>
        <tr>
          <th scope="col">Detail</th>
          <th scope="col">Value</th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(details).map(([field, value]) => (
          <tr key={field}>
            <FieldName field={field} />
            <td>
              <Value field={field} value={value} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The name that the API uses. */
function FieldName({ field }: { field: string }) {
  return (
    <th scope="row">
      <code translate="no">
        <UntrustedText text={field} />
      </code>
    </th>
  );
}

interface ValueProps {
  /** Only certain fields are formatted, because names that people choose may look like an id or a time. */
  field?: string;
  value: string | number | boolean | null;
}

/** Null and empty values are shown as "None" and "Empty", so that they differ from the text "null". */
function Value({ field, value }: ValueProps) {
  if (value === null || value === '')
    return <span className="entry-details__soft">{value === null ? 'None' : 'Empty'}</span>;
  const text = String(value);
  if ((field === 'expiresAt' || field === 'lastAttemptAt') && !Number.isNaN(Date.parse(text)))
    return <ExactTime at={text} />;
  if (field === 'descendantOf' && keyIdSchema.safeParse(text).success)
    return (
      <Link to="/settings/api/$keyId" params={{ keyId: text }} translate="no">
        {text}
      </Link>
    );
  return <UntrustedText text={text} />;
}

function Party({ name, id, children }: { name: string; id: string; children: Elements }) {
  return (
    <span className="entry-details__party">
      <UntrustedText text={name} />
      <Id id={id} what="ID" />
      {children}
    </span>
  );
}

function Id({ id, what }: { id: string; what: string }) {
  return (
    <span className="entry-details__id">
      <code translate="no">
        <UntrustedText text={id} />
      </code>
      <CopyButton text={() => id} what={what} />
    </span>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="entry-details__fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
