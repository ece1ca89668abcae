import type { AuditEvent } from '@soku/contract/audit';
import type { Key } from '@soku/contract/keys';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { leakOptions } from '../../../../api/audit.ts';
import { isOpenLeak } from '../../../../api/overview.ts';
import { Notice } from '../../../../components/Notice.tsx';
import { RelativeTime } from '../../../../components/RelativeTime.tsx';

/** Says which secrets of this key GitHub found that have not ended, and where. */
export function ReportedLeak({ apiKey }: { apiKey: Key }) {
  const { data: reports } = useQuery({ ...leakOptions(apiKey.id), enabled: apiKey.revokedAt === null });
  const open = reports?.filter((report) => isOpenLeak(report, apiKey)) ?? [];
  if (open.length === 0) return null;
  const isDisabled = apiKey.status === 'disabled';
  return (
    <div className="ended-use">
      <Notice tone="bad">
        <p>
          <strong>This key has leaked.</strong>{' '}
          <span>
            {isDisabled ? 'It is disabled, so no server accepts it now.' : 'Anyone who found it can use it.'}
          </span>
        </p>
        {open.map((report) => (
          <Report key={report.id} report={report} apiKey={apiKey} />
        ))}
        <p>
          <span>
            {isDisabled
              ? 'Before you enable it again, rotate it and retire each reported secret, or revoke it: '
              : 'Revoke it. If a program needs it, rotate it instead, and retire each reported secret: '}
          </span>
          <Link to="/help/api-key-management" hash="leak">
            what to do about a leaked key
          </Link>
          <span>.</span>
        </p>
      </Notice>
    </div>
  );
}

function Report({ report: { at, details }, apiKey }: { report: AuditEvent; apiKey: Key }) {
  const secret = apiKey.secrets.find(({ id }) => id === details?.secretId);
  const url = details?.url;
  return (
    <p>
      <span>GitHub reported </span>
      <code translate="no">{secret?.preview}</code>
      <span>, </span>
      <RelativeTime at={at} />
      {typeof url === 'string' ? (
        <>
          <span>, found at </span>
          <a href={url} rel="noreferrer" target="_blank" translate="no">
            {url}
          </a>
        </>
      ) : null}
      <span>.</span>
    </p>
  );
}
