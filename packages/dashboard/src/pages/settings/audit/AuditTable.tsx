import '../../../components/Table.css';
import './AuditTable.css';
import type { AuditEvent } from '@soku/contract/audit';
import { escapeHiddenCharacters } from '@soku/contract/visible-text';
import { Link } from '@tanstack/react-router';
import { Fragment, useId, useState } from 'react';
import { useSession } from '../../../api/session.ts';
import { Badge } from '../../../components/Badge.tsx';
import { ColumnHeads } from '../../../components/ColumnHeads.tsx';
import { RowToggle } from '../../../components/RowToggle.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { UntrustedText } from '../../../components/UntrustedText.tsx';
import { exactTime, formatDay, formatFullDay, formatTime, utcTime } from '../../../dates/dates.ts';
import type { AuditSearch } from '../../search.ts';
import { actionLabel, kindLabel } from './action-labels.ts';
import { EntryDetails } from './EntryDetails.tsx';

const columns = ['Time', 'Action', 'Actor', 'Target', 'Address'];
const columnsOfTwoLines = new Set(['Action', 'Actor', 'Target']);

interface AuditTableProps {
  title: string;
  events: AuditEvent[];
  /** The filters of the audit log that these entries match. */
  search: AuditSearch;
  stale?: boolean;
  /** Groups the entries by day, for a list that spans a long time. */
  byDay?: boolean;
}

export function AuditTable({ title, events, search, stale = false, byDay = false }: AuditTableProps) {
  return (
    <div className="entries" aria-busy={stale}>
      <table className="table table--sticky">
        <caption className="visually-hidden">{`${title}, newest first`}</caption>
        <ColumnHeads columns={columns} />
        {events.map((event, index) => (
          <Fragment key={event.id}>
            {byDay ? <Day at={event.at} previous={events[index - 1]?.at} /> : null}
            <Entry event={event} search={search} timeOnly={byDay} />
          </Fragment>
        ))}
      </table>
    </div>
  );
}

/** The heading of a day, before its first entry. */
function Day({ at, previous }: { at: string; previous: string | undefined }) {
  const day = formatFullDay(at);
  if (previous !== undefined && formatFullDay(previous) === day) return null;
  return (
    <tbody className="entries__day">
      <tr>
        <th colSpan={columns.length} scope="rowgroup">
          {day}
        </th>
      </tr>
    </tbody>
  );
}

interface EntryProps {
  event: AuditEvent;
  search: AuditSearch;
  timeOnly: boolean;
}

/** A row, and below it, while it is expanded, a second row with all details. */
function Entry({ event, search, timeOnly }: EntryProps) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const { action, actor, target, at, unreadable } = event;
  const label = actionLabel(action) ?? 'Other action';
  return (
    <tbody className="entry">
      <tr>
        <td className="entry__time">
          <time dateTime={at} title={`${exactTime(at)}\n${utcTime(at)}`}>
            {timeOnly ? (
              <span key="time">{formatTime(at)}</span>
            ) : (
              <span key="both">
                <span>{formatDay(at)}</span> <span className="table__more">{formatTime(at)}</span>
              </span>
            )}
          </time>
        </td>
        <td className="entry__action">
          <RowToggle
            text={label}
            aria-label={`${label}, ${escapeHiddenCharacters(target.name)}`}
            isOpen={open}
            controls={id}
            onClick={() => setOpen(!open)}
          />
          <code className="table__more" translate="no">
            <UntrustedText text={action} />
          </code>
          {unreadable ? <Badge tone="bad">Unreadable</Badge> : null}
        </td>
        <td className="entry__actor">
          <Party kind={actor.kind} id={actor.id} name={actor.name} />
        </td>
        <td className="entry__target">
          <Party kind={target.kind} id={target.id} name={target.name} />
        </td>
        <td className="entry__address">
          {actor.address === null ? (
            <span className="entry__none">None</span>
          ) : (
            <code title={actor.address} translate="no">
              <UntrustedText text={actor.address} />
            </code>
          )}
        </td>
      </tr>
      {open ? (
        <tr id={id}>
          <td className="entry__details" colSpan={columns.length}>
            <EntryDetails event={event} search={search} />
          </td>
        </tr>
      ) : null}
    </tbody>
  );
}

/** The actor or the target of an entry. */
function Party(party: PartyProps) {
  const user = useSession()?.user;
  return (
    <>
      <PartyName {...party} />
      <span className="table__more">
        {user?.id === party.id ? 'You' : escapeHiddenCharacters(kindLabel(party.kind))}
      </span>
    </>
  );
}

interface PartyProps {
  kind: string;
  id: string;
  name: string;
}

/** Links to its page, if it has one. */
function PartyName({ kind, id, name }: PartyProps) {
  if (kind === 'key')
    return (
      <Link to="/settings/api/$keyId" params={{ keyId: id }} className="entry__link">
        <EntryName name={name} />
      </Link>
    );
  if (kind === 'webhook')
    return (
      <Link to="/settings/webhooks/$webhookId" params={{ webhookId: id }} className="entry__link">
        <EntryName name={name} />
      </Link>
    );
  return <EntryName name={name} />;
}

function EntryName({ name }: { name: string }) {
  return <UntrustedText text={name} className="entry__name" />;
}

const placeholders = ['a', 'b', 'c', 'd', 'e', 'f'];

export function AuditTableSkeleton({ byDay = false }: { byDay?: boolean }) {
  return (
    <div className="entries">
      <p className="visually-hidden" role="status">
        Loading entries
      </p>
      <table className="table" aria-hidden>
        <ColumnHeads columns={columns} />
        {byDay ? (
          <tbody className="entries__day">
            <tr>
              <td colSpan={columns.length}>
                <Skeleton width="long" />
              </td>
            </tr>
          </tbody>
        ) : null}
        {placeholders.map((row) => (
          <tbody className="entry" key={row}>
            <tr>
              {columns.map((column) => (
                <td className={`entry__${column.toLowerCase()}`} key={column}>
                  <Skeleton width="middle" />
                  {columnsOfTwoLines.has(column) ? (
                    <span className="table__more">
                      <Skeleton width="short" />
                    </span>
                  ) : null}
                </td>
              ))}
            </tr>
          </tbody>
        ))}
      </table>
    </div>
  );
}
