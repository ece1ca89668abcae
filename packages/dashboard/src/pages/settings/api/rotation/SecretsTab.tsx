import './SecretsTab.css';
import type { Key } from '@soku/contract/keys';
import type { Usage } from '@soku/contract/usage';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { usageOptions } from '../../../../api/usage.ts';
import { Section } from '../../../../components/Section.tsx';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { useRenderEveryMinute } from '../../../../dates/use-render-every-minute.ts';
import { EarlierSecrets } from './EarlierSecrets.tsx';
import { NextSecret } from './NextSecret.tsx';
import { OldSecretUses } from './OldSecretUses.tsx';
import { RotationPanel } from './RotationPanel.tsx';
import { endedSecrets, isAccepted, rotationOf } from './rotation.ts';
import { SecretCard } from './SecretCard.tsx';
import { useRenderAt } from './use-second.ts';

/** The secrets of a key: which one programs should use, which ones are being replaced, and who still uses those. */
export function SecretsTab({ apiKey }: { apiKey: Key | undefined }) {
  return apiKey ? <Secrets key={apiKey.id} apiKey={apiKey} /> : <SecretsSkeleton />;
}

function Secrets({ apiKey }: { apiKey: Key }) {
  useRenderEveryMinute();
  const { data: usage } = useQuery(usageOptions(apiKey.id));
  const now = Date.now();
  const rotation = rotationOf(apiKey, now);
  useRenderAt(rotation?.next?.at);
  const accepted = apiKey.secrets.filter((secret) => isAccepted(secret, now));
  const ended = endedSecrets(apiKey, now);
  return (
    <div className="secrets-tab">
      {rotation ? <RotationPanel apiKey={apiKey} rotation={rotation} /> : null}
      <ul
        className={`secrets ${rotation ? 'secrets--many' : ''}`}
        aria-label={apiKey.status === 'active' ? 'Secrets that are accepted' : 'Secrets'}
      >
        {accepted.map((secret, index) => (
          <li key={secret.id}>
            <SecretCard
              secret={secret}
              status={apiKey.status}
              position={accepted.length === 1 ? 'only' : index === 0 ? 'newest' : 'older'}
              // With one older secret, the button is in the panel above.
              canRetire={index > 0 && accepted.length > 2}
              requests={requestsOf(usage, secret.id)}
            />
          </li>
        ))}
        {rotation === null ? (
          <li>
            <NextSecret apiKey={apiKey} />
          </li>
        ) : null}
      </ul>
      {rotation ? <OldSecretUses rotation={rotation} usage={usage} /> : null}
      {ended.length > 0 ? <EarlierSecrets secrets={ended} /> : null}
      <p className="secrets-tab__help">
        <Link to="/help/rotate-a-key">How to rotate a key without downtime</Link>
      </p>
    </div>
  );
}

/** Accepted requests with a secret in the last 24 hours; undefined while loading, null if the server does not count them. */
function requestsOf(usage: Usage | undefined, id: string) {
  if (usage === undefined) return undefined;
  const count = usage.secrets.find((secret) => secret.id === id)?.accepted;
  if (count === undefined) return null;
  return { count, share: usage.accepted === 0 ? 0 : count / usage.accepted };
}

function SecretsSkeleton() {
  return (
    <Section title="Secrets">
      <p className="visually-hidden" role="status">
        Loading secrets
      </p>
      <p className="secrets-tab__loading">
        <Skeleton width="long" />
      </p>
    </Section>
  );
}
