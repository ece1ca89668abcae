import '../../../components/Table.css';
import './KeyListTable.css';
import type { Key } from '@soku/contract/keys';
import { Link } from '@tanstack/react-router';
import { Pencil } from 'lucide-react';
import { KeyPreview } from '../../../components/Bitting.tsx';
import { Button } from '../../../components/Button.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { StatusBadge } from '../../../components/StatusBadge.tsx';
import { When } from '../../../components/When.tsx';
import { formatDay } from '../../../dates/dates.ts';

interface RowActions {
  onRename: (key: Key) => void;
  onRevoke: (key: Key) => void;
}

export function KeyListTable({ rows, stale, ...actions }: { rows: Key[]; stale: boolean } & RowActions) {
  return (
    <div className="keys" aria-busy={stale}>
      <table className="table table--sticky">
        <caption className="visually-hidden">API keys, newest first</caption>
        <Head />
        <tbody>
          {rows.map((key) => (
            <KeyRow key={key.id} apiKey={key} {...actions} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Head() {
  return (
    <thead>
      <tr>
        <th scope="col">Name</th>
        <th scope="col">Key preview</th>
        <th scope="col">Created</th>
        <th scope="col">Last used</th>
        <th scope="col">Status</th>
        <th scope="col">
          <span className="visually-hidden">Actions</span>
        </th>
      </tr>
    </thead>
  );
}

function KeyRow({ apiKey, onRename, onRevoke }: { apiKey: Key } & RowActions) {
  return (
    <tr>
      <td className="keys__name">
        <Link
          to="/settings/api/$keyId"
          params={{ keyId: apiKey.id }}
          className="keys__link"
          title={apiKey.name}
          translate="no"
        >
          {apiKey.name}
        </Link>
        {apiKey.scopes.length > 0 ? (
          <span className="keys__more" translate="no">
            {apiKey.scopes.join(', ')}
          </span>
        ) : null}
      </td>
      <td className="keys__preview">
        <KeyPreview preview={apiKey.preview} status={apiKey.status} />
      </td>
      <td className="keys__created">
        <When at={apiKey.createdAt} />
      </td>
      <td className={`keys__used ${apiKey.lastUsedAt ? '' : 'keys__used--never'}`}>
        {apiKey.lastUsedAt ? <When at={apiKey.lastUsedAt} /> : 'Never'}
      </td>
      <td className="keys__status">
        <StatusBadge status={apiKey.status} />
        <StatusDate apiKey={apiKey} />
      </td>
      <td className="keys__actions">
        <Button
          variant="quiet"
          className="button--icon"
          icon={Pencil}
          aria-label={`Rename key ${apiKey.name}`}
          title="Rename"
          onClick={() => onRename(apiKey)}
        />
        {apiKey.status === 'revoked' ? null : (
          <Button
            variant="quiet-danger"
            aria-label={`Revoke key ${apiKey.name}`}
            data-revoke={apiKey.id}
            onClick={() => onRevoke(apiKey)}
          >
            Revoke
          </Button>
        )}
      </td>
    </tr>
  );
}

/** The date of the status, if it has one: when the key was revoked, has expired or will expire. */
function StatusDate({ apiKey }: { apiKey: Key }) {
  const at = apiKey.revokedAt ?? apiKey.expiresAt;
  if (at === null) return null;
  return (
    <time className="keys__more" dateTime={at} title={at}>
      {apiKey.status === 'active' ? `until ${formatDay(at)}` : formatDay(at)}
    </time>
  );
}

const placeholders = ['a', 'b', 'c', 'd', 'e'];

export function KeyTableSkeleton() {
  return (
    <div className="keys">
      <p className="visually-hidden" role="status">
        Loading keys
      </p>
      <table className="table" aria-hidden>
        <Head />
        <tbody>
          {placeholders.map((row) => (
            <tr key={row}>
              <td className="keys__name">
                <Skeleton width="long" />
              </td>
              <td className="keys__preview">
                <Skeleton width="middle" />
              </td>
              <td className="keys__created">
                <Skeleton width="short" />
              </td>
              <td className="keys__used">
                <Skeleton width="short" />
              </td>
              <td className="keys__status">
                <Skeleton width="short" />
              </td>
              <td className="keys__actions" />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
