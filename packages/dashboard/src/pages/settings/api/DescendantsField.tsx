import type { Key } from '@soku/contract/keys';
import type { Descendants } from '@soku/contract/revocations';
import { useQuery } from '@tanstack/react-query';
import { descendantsOptions } from '../../../api/change-keys.ts';
import { formatNumber } from '../../../components/format-number.ts';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { relativeTimeWithSeconds } from '../../../dates/dates.ts';

interface DescendantsFieldProps {
  apiKey: Key;
  checked: boolean;
  disabled: boolean;
  onChange: (checked: boolean) => void;
}

/** Offers to revoke the keys that a key created. It always takes the same space, so that the layout does not shift. */
export function DescendantsField({ apiKey, checked, disabled, onChange }: DescendantsFieldProps) {
  const mayCreate = apiKey.scopes.includes('keys:write');
  const { data, error } = useQuery({ ...descendantsOptions(apiKey.id), enabled: mayCreate });
  if (!mayCreate) return null;
  if (data === undefined && error === null) return <Skeleton width="full" />;
  if (data?.count === 0) return <p className="field__hint">This key created no other active keys.</p>;
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span>{labelOf(data)}</span>
      <span className="check__more">{data ? usageSummary(data) : 'Their usage could not be loaded.'}</span>
    </label>
  );
}

function labelOf(descendants: Descendants | undefined): string {
  if (descendants === undefined) return 'Also revoke the keys that it created, and those that they created';
  const { count } = descendants;
  return count === 1
    ? 'Also revoke the key that it created'
    : `Also revoke the ${formatNumber(count)} keys that it or its descendants created`;
}

function usageSummary({ accepted, lastUsedAt }: Descendants): string {
  if (lastUsedAt === null) return 'Never used.';
  if (accepted === 0)
    return `Not used in the last 24 hours (last used ${relativeTimeWithSeconds(lastUsedAt)}).`;
  const requests = accepted === 1 ? '1 request' : `${formatNumber(accepted)} requests`;
  return `${requests} in the last 24 hours, last used ${relativeTimeWithSeconds(lastUsedAt)}.`;
}
