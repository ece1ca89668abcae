import type { Key } from '@soku/contract/keys';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { leakOptions } from '../../../../api/audit.ts';
import { isOpenLeak } from '../../../../api/overview.ts';
import { Notice } from '../../../../components/Notice.tsx';
import { When } from '../../../../components/When.tsx';

/** Says that GitHub found a secret of this key that is still accepted, and where. */
export function ReportedLeak({ apiKey }: { apiKey: Key }) {
  const { data: report } = useQuery({ ...leakOptions(apiKey.id), enabled: apiKey.revokedAt === null });
  if (!report || !isOpenLeak(report, apiKey)) return null;
  const { url } = report.details ?? {};
  return (
    <div className="ended-use">
      <Notice tone="bad">
        <p>
          <strong>This key has leaked.</strong> <span>GitHub reported it </span>
          <When at={report.at} />
          <span>. Anyone who found it can use it.</span>
        </p>
        {typeof url === 'string' ? (
          <p>
            <span>Found at </span>
            <a href={url} rel="noreferrer" target="_blank" translate="no">
              {url}
            </a>
          </p>
        ) : null}
        <p>
          <span>Revoke it, or rotate it without a grace if a program needs it: </span>
          <Link to="/help/api-key-management" hash="leak">
            what to do about a leaked key
          </Link>
          <span>.</span>
        </p>
      </Notice>
    </div>
  );
}
