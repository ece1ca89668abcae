import { msPerHour } from '@soku/contract/instant';
import type { Key } from '@soku/contract/keys';
import type { Usage } from '@soku/contract/usage';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { usageOptions } from '../../../../api/usage.ts';
import { formatNumber } from '../../../../components/format-number.ts';
import { Notice } from '../../../../components/Notice.tsx';
import { exactTime } from '../../../../dates/dates.ts';
import { endedSecrets } from '../rotation/rotation.ts';

/** Says that a revoked key, or a retired secret of a key, is still in use. */
export function EndedUse({ apiKey }: { apiKey: Key }) {
  const endedAt = endOf(apiKey);
  const { data: usage } = useQuery({ ...usageOptions(apiKey.id), enabled: endedAt !== null });
  const rejected = usage?.keyId === apiKey.id ? (usage.refusedBy.revoked_key ?? 0) : 0;
  if (endedAt === null || usage === undefined || rejected === 0) return null;
  const requests = rejected === 1 ? '1 request was' : `${formatNumber(rejected)} requests were`;
  const what = apiKey.revokedAt === null ? 'A retired secret of this key' : 'This key is revoked, but it';
  return (
    <div className="ended-use">
      <Notice tone="warn">
        <p>
          <strong>{`${what} is still in use.`}</strong>{' '}
          <span>{`${requests} rejected in the last 24 hours${sinceText(usage, rejected, endedAt)}.`}</span>
        </p>
        {apiKey.revokedAt === null ? <RetiredHint key="retired" /> : <RevokedHint key="revoked" />}
      </Notice>
    </div>
  );
}

function RetiredHint() {
  return (
    <p>
      <span>A program still sends it. Give that program the current secret: </span>
      <Link to="/help/rotate-a-key" hash="unfinished">
        how to finish a rotation
      </Link>
      <span>.</span>
    </p>
  );
}

function RevokedHint() {
  return (
    <p>
      <span>A program, or someone who found the key, still sends it. Give the program its own key: </span>
      <Link to="/help/api-key-management" hash="leak">
        what to do about a leaked key
      </Link>
      <span>.</span>
    </p>
  );
}

/** Epoch ms; null if nothing of the key has ended. */
function endOf(key: Key): number | null {
  if (key.revokedAt !== null) return Date.parse(key.revokedAt);
  const ends = endedSecrets(key, Date.now()).flatMap(
    ({ retiredAt, retiresAt }) => retiredAt ?? retiresAt ?? [],
  );
  return ends.length === 0 ? null : Math.min(...ends.map((end) => Date.parse(end)));
}

/** Hours do not count reasons, so the first one is known only if all rejections have this reason. */
function sinceText({ hours, refused }: Usage, rejected: number, endedAt: number): string {
  if (refused !== rejected) return '';
  const first = hours.find(({ hour, refused: count }) => count > 0 && Date.parse(hour) + msPerHour > endedAt);
  if (first === undefined) return '';
  const since = Math.max(Date.parse(first.hour), endedAt);
  return `, the first one after ${exactTime(new Date(since).toISOString())}`;
}
