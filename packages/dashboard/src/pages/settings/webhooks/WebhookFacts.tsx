import type { Webhook } from '@soku/contract/webhooks';
import { useSession } from '../../../api/session.ts';
import { CopyButton } from '../../../components/CopyButton.tsx';
import type { Elements } from '../../../components/elements.ts';
import { Fact } from '../../../components/Fact.tsx';
import { ExactTime } from '../../../components/RelativeTime.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { eventLabel, inOfferedOrder, receivesAll } from './names.ts';

/** @param props.webhook undefined while loading */
export function WebhookFacts({ webhook }: { webhook: Webhook | undefined }) {
  return (
    <dl className="webhook-facts">
      <Fact name="Events">
        <Loaded>{webhook && <Events events={webhook.events} />}</Loaded>
      </Fact>
      <Fact name="Signing secret">
        <Loaded>{webhook && <Secrets secrets={webhook.secrets} />}</Loaded>
      </Fact>
      <Fact name="Created">
        <Loaded>{webhook && <Creation webhook={webhook} />}</Loaded>
      </Fact>
      <Fact name="ID">
        <Loaded>
          {webhook && (
            <span className="webhook-facts__id">
              <code translate="no">{webhook.id}</code>
              <CopyButton text={() => webhook.id} what="ID" />
            </span>
          )}
        </Loaded>
      </Fact>
    </dl>
  );
}

function Loaded({ children }: { children: Elements }) {
  return children ?? <Skeleton width="long" />;
}

function Events({ events }: { events: string[] }) {
  if (receivesAll(events)) return <span key="all">All events, including those that later versions add</span>;
  return (
    <ul key="chosen" className="webhook-facts__events">
      {inOfferedOrder(events).map((event) => (
        <li key={event}>{eventLabel(event)}</li>
      ))}
    </ul>
  );
}

function Secrets({ secrets: [newest, ...older] }: Pick<Webhook, 'secrets'>) {
  return (
    <div>
      {newest ? (
        <p>
          Created on <ExactTime at={newest.createdAt} />
        </p>
      ) : null}
      {older.map(({ createdAt, retiresAt }) => (
        <p key={createdAt} className="fact__more">
          An older one also signs requests until <ExactTime at={retiresAt ?? createdAt} />
        </p>
      ))}
    </div>
  );
}

function Creation({ webhook: { createdAt, createdBy } }: { webhook: Webhook }) {
  const user = useSession()?.user;
  return (
    <p>
      <ExactTime at={createdAt} />
      <span> by </span>
      {user?.id === createdBy ? (
        <span key="you">{`you (${user.email})`}</span>
      ) : (
        <code key="other" translate="no">
          {createdBy}
        </code>
      )}
    </p>
  );
}
