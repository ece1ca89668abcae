import { Download } from 'lucide-react';
import { csvUrl, type UsageRange, type UsageTableName } from '../../../../api/usage-history.ts';
import { buttonClass } from '../../../../components/Button.tsx';
import { userTimeZone } from '../../../../dates/zone.ts';

interface CsvLinkProps {
  /** Undefined: the usage of the workspace. */
  keyId?: string | undefined;
  range: UsageRange;
  table: UsageTableName;
  /** Whose days are in it. */
  timeZone?: string | undefined;
  /** If the page does not show exactly the range. */
  children?: string;
}

export function CsvLink({
  keyId,
  range,
  table,
  timeZone = userTimeZone,
  children = 'Download CSV',
}: CsvLinkProps) {
  return (
    <a className={buttonClass('quiet', 'csv-link')} href={csvUrl(keyId, range, table, timeZone)} download>
      <Download size={16} aria-hidden />
      <span>{children}</span>
      <span className="visually-hidden">{`of ${table}`}</span>
    </a>
  );
}
