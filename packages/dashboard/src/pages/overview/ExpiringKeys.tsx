import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { expiringKeysOptions, maxCheckedKeys } from '../../api/expiring-keys.ts';
import { KeyPreview } from '../../components/Bitting.tsx';
import { Section } from '../../components/Section.tsx';
import { When } from '../../components/When.tsx';

/** Lists keys that expire soon. Renders nothing if there are none. */
export function ExpiringKeys() {
  const { data } = useQuery(expiringKeysOptions);
  if (!data || data.keys.length === 0) return null;
  return (
    <Section
      title="Expiring within 14 days"
      lead={
        <>
          <span>Create a new key for the same program, deploy it, then revoke the old key.</span>
          {data.complete ? null : <span>{` Checks only the newest ${maxCheckedKeys} active keys.`}</span>}
        </>
      }
    >
      <ul>
        {data.keys.map((key) => (
          <li key={key.id} className="brief">
            <Link to="/settings/api/$keyId" params={{ keyId: key.id }} className="brief__name" translate="no">
              {key.name}
            </Link>
            <KeyPreview preview={key.preview} status={key.status} />
            <span className="brief__when brief__when--soon">
              expires <When at={key.expiresAt} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
