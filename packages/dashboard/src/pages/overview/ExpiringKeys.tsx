import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { expiringKeysOptions, mostKeysLookedAt } from '../../api/expiring-keys.ts';
import { Section } from '../../components/Card.tsx';
import { When } from '../../components/When.tsx';

/** Only there when there is something to do: a key that is about to stop working. */
export function ExpiringKeys() {
  const { data } = useQuery(expiringKeysOptions);
  if (!data || data.keys.length === 0) return null;
  return (
    <Section
      title="Expire within 14 days"
      lead={
        <>
          <span>Make a new key for the same program, put it in place, then revoke the old one.</span>
          {data.complete ? null : <span>{` Looked at the newest ${mostKeysLookedAt} active keys.`}</span>}
        </>
      }
    >
      <ul>
        {data.keys.map((key) => (
          <li key={key.id} className="brief">
            <Link to="/settings/api/$keyId" params={{ keyId: key.id }} className="brief__name" translate="no">
              {key.name}
            </Link>
            <code translate="no" className="brief__preview">
              {key.preview}
            </code>
            <span className="brief__when brief__when--soon">
              expires <When at={key.expiresAt} />
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
