import '../../../components/Table.css';
import './AuditTable.css';
import type { AuditEvent } from '@soku/contract/audit';
import { escapeHiddenCharacters } from '@soku/contract/visible-text';
import { Link } from '@tanstack/react-router';
import { ChevronRight } from 'lucide-react';
import { useId, useState } from 'react';
import { useSession } from '../../../api/session.ts';
import { Badge } from '../../../components/Badge.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { UntrustedText } from '../../../components/UntrustedText.tsx';
import { exactTime, formatDay, formatTime, utcTime } from '../../../dates/dates.ts';
import { actionLabel, kindLabel } from './action-labels.ts';
import { EntryDetails } from './EntryDetails.tsx';

const columns = ['Time', 'Action', 'Actor', 'Target', 'Address'];

export function AuditTable({ events, stale }: { events: AuditEvent[]; stale: boolean }) {
  return (
    <div className="entries" aria-busy={stale}>
      <table className="table table--sticky">
        <caption className="visually-hidden">Audit log, newest first</caption>
        <Head />
        {events.map((event) => (
          <Entry key={event.id} event={event} />
        ))}
      </table>
    </div>
  );
}

function Head() {
  return (
    <thead>
      <tr>
        {columns.map((column) => (
          <th key={column} scope="col">
            {column}
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** A row, and below it, while it is expanded, a second row with all details. */
function Entry({ event }: { event: AuditEvent }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const { action, actor, target, at, unreadable } = event;
  const label = actionLabel(action) ?? 'Other action';
  return (
    <tbody className="entry">
      <tr>
        <td className="entry__time">
          <time dateTime={at} title={`${exactTime(at)}\n${utcTime(at)}`}>
            <span>{formatDay(at)}</span> <span className="entry__more">{formatTime(at)}</span>
          </time>
        </td>
        <td className="entry__action">
          <button
            type="button"
            className="entry__toggle"
            aria-label={`${label}, ${escapeHiddenCharacters(target.name)}`}
            aria-expanded={open}
            aria-controls={id}
            onClick={() => setOpen(!open)}
          >
            <ChevronRight size={16} aria-hidden />
            <span className="entry__words">{label}</span>
          </button>
          <code className="entry__more" translate="no">
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
            <EntryDetails event={event} />
          </td>
        </tr>
      ) : null}
    </tbody>
  );
}

/** The actor or the target of an entry. */
function Party({ kind, id, name }: { kind: string; id: string; name: string }) {
  const user = useSession()?.user;
  return (
    <>
      {kind === 'key' ? (
        <Link to="/settings/api/$keyId" params={{ keyId: id }} className="entry__link">
          <UntrustedText text={name} className="entry__name" />
        </Link>
      ) : (
        <UntrustedText text={name} className="entry__name" />
      )}
      <span className="entry__more">{user?.id === id ? 'You' : escapeHiddenCharacters(kindLabel(kind))}</span>
    </>
  );
}

const placeholders = ['a', 'b', 'c', 'd', 'e', 'f'];

export function AuditTableSkeleton() {
  return (
    <div className="entries">
      <p className="visually-hidden" role="status">
        Loading entries
      </p>
      <table className="table" aria-hidden>
        <Head />
        {placeholders.map((row) => (
          <tbody className="entry" key={row}>
            <tr>
              {columns.map((column) => (
                <td className={`entry__${column.toLowerCase()}`} key={column}>
                  <Skeleton width="middle" />
                </td>
              ))}
            </tr>
          </tbody>
        ))}
      </table>
    </div>
  );
}
