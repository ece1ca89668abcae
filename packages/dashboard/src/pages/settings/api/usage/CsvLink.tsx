import { Download } from 'lucide-react';
import { csvUrl, type UsageRange, type UsageTableName } from '../../../../api/usage-history.ts';
import { buttonClass } from '../../../../components/Button.tsx';

interface CsvLinkProps {
  /** Undefined: the usage of the workspace. */
  keyId?: string | undefined;
  range: UsageRange;
  table: UsageTableName;
  /** If the page does not show exactly the range. */
  children?: string;
}

export function CsvLink({ keyId, range, table, children = 'Download CSV' }: CsvLinkProps) {
  return (
    <a className={buttonClass('quiet', 'csv-link')} href={csvUrl(keyId, range, table)} download>
      <Download size={16} aria-hidden />
      <span>{children}</span>
      <span className="visually-hidden">{`of ${table}`}</span>
    </a>
  );
}
