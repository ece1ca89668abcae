import '../../../../components/Table.css';
import type { Hygiene, HygieneKind } from '@soku/contract/hygiene';
import { Link } from '@tanstack/react-router';
import { Button, buttonClass } from '../../../../components/Button.tsx';
import { ColumnHeads } from '../../../../components/ColumnHeads.tsx';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { usePanel } from '../../../../components/use-panel.ts';
import { exactTime, formatDay } from '../../../../dates/dates.ts';
import { kindTexts, policyTexts } from './kinds.ts';

type Finding = Hygiene['data'][number];

const columnsOf = (kind: HygieneKind) => ['Name', 'Key', kindTexts[kind].since, 'Action'];

interface FindingsTableProps {
  kind: HygieneKind;
  findings: Finding[];
  stale: boolean;
}

export function FindingsTable({ kind, findings, stale }: FindingsTableProps) {
  const { name, text } = kindTexts[kind];
  const policy = findings.flatMap((finding) => (finding.policy && policyTexts[finding.policy]) ?? [])[0];
  return (
    <div className="findings" aria-busy={stale}>
      <p className="findings__text">{policy === undefined ? text : `${text} ${policy}`}</p>
      <table className="table">
        <caption className="visually-hidden">{`Keys: ${name}, ${orderOf(kind)}`}</caption>
        <ColumnHeads columns={columnsOf(kind)} />
        <tbody>
          {findings.map((finding) => (
            <Row key={finding.key.id} finding={finding} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ finding }: { finding: Finding }) {
  const { key } = finding;
  const time = timeOf(finding);
  return (
    <tr>
      <td className="findings__name">
        <Link
          className="findings__link"
          to="/settings/api/$keyId"
          params={{ keyId: key.id }}
          data-key={key.id}
          translate="no"
        >
          <bdi>{key.name}</bdi>
        </Link>
      </td>
      <td className="findings__preview">
        <code translate="no">{key.preview}</code>
      </td>
      <td className="findings__since">
        <time dateTime={time} title={exactTime(time)}>
          {formatDay(time)}
        </time>
      </td>
      <td className="findings__action">
        <Action finding={finding} />
      </td>
    </tr>
  );
}

/** The findings are sorted by `since`. For keys that expire too late, the column shows another time. */
function orderOf(kind: HygieneKind): string {
  return kind === 'expires_too_late' ? 'oldest key first' : 'oldest first';
}

/** The time that the head of the column names. */
function timeOf({ kind, key, since }: Finding): string {
  return kind === 'expires_too_late' ? (key.expiresAt ?? since) : since;
}

/** Where a key is changed. */
const places = {
  change_expiry: { text: 'Change expiration', search: { tab: 'access', panel: 'expiry' } },
  set_expiry: { text: 'Set expiration', search: { tab: 'access', panel: 'expiry' } },
  edit_access: { text: 'Edit access', search: { tab: 'access' } },
  finish_rotation: { text: 'Finish rotation', search: { tab: 'secrets' } },
} as const;

/** What to do about a finding: a dialog on this page, or the place where the key is changed. */
function Action({ finding: { key, action } }: { finding: Finding }) {
  const { openPanel } = usePanel();
  if (action === 'rotate' || action === 'disable' || action === 'revoke') {
    const text = { rotate: 'Rotate', disable: 'Disable', revoke: 'Revoke' }[action];
    return (
      <Button
        variant={action === 'revoke' ? 'quiet-danger' : 'quiet'}
        onClick={() => openPanel(action, key.id)}
      >
        <span>{text}</span>
        <span className="visually-hidden">{` ${key.name}`}</span>
      </Button>
    );
  }
  const { text, search } = places[action];
  return (
    <Link
      className={buttonClass('quiet')}
      to="/settings/api/$keyId"
      params={{ keyId: key.id }}
      search={search}
    >
      <span>{text}</span>
      <span className="visually-hidden">{` ${key.name}`}</span>
    </Link>
  );
}

const placeholders = ['a', 'b', 'c'];

/** The kind may not be known yet. */
export function FindingsTableSkeleton() {
  return (
    <div className="findings">
      <p className="visually-hidden" role="status">
        Loading keys
      </p>
      <p className="findings__text" aria-hidden>
        <Skeleton width="long" />
      </p>
      <table className="table" aria-hidden>
        <ColumnHeads columns={['Name', 'Key', 'Since', 'Action']} />
        <tbody>
          {placeholders.map((row) => (
            <tr key={row}>
              <td colSpan={4}>
                <Skeleton width="long" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
