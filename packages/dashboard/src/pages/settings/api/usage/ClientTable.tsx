import { escapeHiddenCharacters } from '@soku/contract/visible-text';
import { Fragment, type ReactElement, useState } from 'react';
import type { RangeUsage } from '../../../../api/usage-history.ts';
import { Button } from '../../../../components/Button.tsx';
import { percent } from '../../../../components/ChartMarks.tsx';
import { formatNumber } from '../../../../components/format-number.ts';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { UntrustedText } from '../../../../components/UntrustedText.tsx';

type Client = RangeUsage['clients']['addresses'][number];

interface ClientTableProps {
  /** The head of the column of names. */
  name: 'IP address' | 'Program';
  plural: 'addresses' | 'programs';
  /** Most requests first. Undefined while loading. */
  clients: Client[] | undefined;
  /** Requests of all others. */
  other: number | undefined;
  /** Accepted requests of the range. */
  accepted: number | undefined;
}

/** How many are shown at first. */
const few = 5;

export function ClientTable({ name, plural, clients, other = 0, accepted = 0 }: ClientTableProps) {
  const [isWhole, setWhole] = useState(false);
  const all = clients ?? [];
  const shown = isWhole ? all : all.slice(0, few);
  const rest = all.slice(shown.length).reduce((sum, { requests }) => sum + requests, other);
  const known = shown.reduce((sum, { requests }) => sum + requests, rest);
  // Before an upgrade that began to count clients, and in the minute before a crash. Clients are of whole days, so there
  // may also be more of them.
  const unknown = clients === undefined ? 0 : Math.max(0, accepted - known);
  const total = known + unknown;
  return (
    <div>
      <table className="table clients__table" aria-label={`Accepted requests by ${plural}`}>
        <thead>
          <tr>
            <th scope="col">{name}</th>
            <td className="clients__bar" />
            <th scope="col">Requests (estimated)</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((client) => (
            <Row key={client.name} requests={client.requests} total={total}>
              <Name name={name} text={client.name} />
            </Row>
          ))}
          {rest > 0 ? (
            <Row key=" others" requests={rest} total={total}>
              <span className="clients__name--other">All others</span>
            </Row>
          ) : null}
          {unknown > 0 ? (
            <Row key=" unknown" requests={unknown} total={total}>
              <span className="clients__name--other">Unknown</span>
            </Row>
          ) : null}
          {clients === undefined || total > 0 ? null : (
            <tr key=" none">
              <td colSpan={3} className="clients__name--other">
                No accepted requests.
              </td>
            </tr>
          )}
          {clients === undefined ? (
            <tr key=" loading">
              <td colSpan={3}>
                <Skeleton width="middle" />
              </td>
            </tr>
          ) : null}
        </tbody>
      </table>
      {all.length > few ? (
        <p className="clients__more">
          <Button variant="link" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
            {isWhole ? 'Show fewer' : `Show ${all.length} ${plural}`}
          </Button>
        </p>
      ) : null}
    </div>
  );
}

function Row({ requests, total, children }: { requests: number; total: number; children: ReactElement }) {
  return (
    <tr>
      <th scope="row" className="clients__name">
        {children}
      </th>
      <td className="clients__bar">
        <svg className="clients__share" width="84" height="8" aria-hidden="true">
          <rect className="clients__rest" width="84" height="8" />
          <rect className="clients__part" width={percent(requests / total)} height="8" />
        </svg>
      </td>
      <td>{formatNumber(requests)}</td>
    </tr>
  );
}

function Name({ name, text }: { name: ClientTableProps['name']; text: string }) {
  if (text === '') return <span className="clients__name--other">No User-Agent</span>;
  if (name === 'Program') return <UntrustedText text={text} />;
  return (
    <code translate="no">
      <Address text={text} />
    </code>
  );
}

/** A long IPv6 address breaks between its groups. */
function Address({ text }: { text: string }) {
  const groups = escapeHiddenCharacters(text).split(/(?<=:)/);
  return (
    <bdi>
      {groups.map((group, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: groups can be equal, and the address does not change
        <Fragment key={i}>
          <span>{group}</span>
          <wbr />
        </Fragment>
      ))}
    </bdi>
  );
}
