import type { Secret } from '@soku/contract/secrets';
import type { Usage } from '@soku/contract/usage';
import { formatNumber } from '../../../../components/format-number.ts';
import { PreviewText } from '../../../../components/KeyTeeth.tsx';
import { Section } from '../../../../components/Section.tsx';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { relativeTimeWithSeconds } from '../../../../dates/dates.ts';
import type { KeyRotation } from './rotation.ts';

interface OldSecretUsesProps {
  rotation: KeyRotation;
  /** Undefined while loading. */
  usage: Usage | undefined;
}

/** Which programs have to get the new secret. */
export function OldSecretUses({ rotation, usage }: OldSecretUsesProps) {
  const { newest, older } = rotation;
  const rotatedAt = Date.parse(newest.createdAt);
  const used = older.filter(({ lastUsedAt }) => lastUsedAt !== null && Date.parse(lastUsedAt) >= rotatedAt);
  return (
    <Section title="Still using an old secret" lead={leadOf(used.length, rotation)}>
      {used.length === 0 ? null : (
        <table className="table old-uses">
          <thead>
            <tr>
              <th scope="col">Secret</th>
              <th scope="col">Last request from</th>
              <th scope="col">Program</th>
              <th scope="col" className="old-uses__number">
                24 hours
              </th>
              <th scope="col">Last used</th>
            </tr>
          </thead>
          <tbody>
            {used.map((secret) => (
              <Use key={secret.id} secret={secret} usage={usage} />
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

/** Programs that send few requests may still have the old secret, so their silence alone is no reason to retire it. */
function leadOf(count: number, { newest, older }: KeyRotation): string {
  const unused = 'No request has used an old secret since the rotation';
  if (count === 0 && newest.lastUsedAt === null)
    return `${unused}, and none has used the new one. Retire an old secret only once your programs have the new one.`;
  if (count === 0)
    return `${unused}. Once all of your programs have the new one, you can retire ${older.length === 1 ? 'it' : 'them'}.`;
  return 'Give these programs the new secret. Each row shows the last request with that secret. Other programs may use it, too.';
}

function Use({ secret, usage }: { secret: Secret; usage: Usage | undefined }) {
  const found = usage?.secrets.find(({ id }) => id === secret.id);
  const use = found?.lastUsed;
  return (
    <tr>
      <td data-column="Secret">
        <PreviewText preview={secret.preview} />
      </td>
      <td data-column="From">
        {use ? <code translate="no">{use.address}</code> : <Unknown loading={usage === undefined} />}
      </td>
      <td data-column="Program">
        {use && use.userAgent !== '' ? (
          <code key="agent" translate="no">
            {use.userAgent}
          </code>
        ) : (
          <Unknown key="unknown" loading={usage === undefined} />
        )}
      </td>
      <td className="old-uses__number" data-column="24 hours">
        <span>{found ? formatNumber(found.accepted) : 'Unknown'}</span>
      </td>
      <td data-column="Last used">
        <span>{secret.lastUsedAt === null ? '' : relativeTimeWithSeconds(secret.lastUsedAt)}</span>
      </td>
    </tr>
  );
}

function Unknown({ loading }: { loading: boolean }) {
  return loading ? <Skeleton width="middle" /> : <span>Unknown</span>;
}
