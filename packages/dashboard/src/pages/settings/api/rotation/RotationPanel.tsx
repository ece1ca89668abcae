import type { Key } from '@soku/contract/keys';
import { Notice } from '../../../../components/Notice.tsx';
import { exactTime, relativeTime } from '../../../../dates/dates.ts';
import { useRenderEveryMinute } from '../../../../dates/use-render-every-minute.ts';
import { CountdownBar, CountdownClock, PendingCountdownBar } from './Countdown.tsx';
import { RetireButton } from './RetireButton.tsx';
import { formatGrace, type KeyRotation } from './rotation.ts';

/** How far a rotation is, until when the old secret is accepted, and what is missing. */
export function RotationPanel({ apiKey, rotation }: { apiKey: Key; rotation: KeyRotation }) {
  useRenderEveryMinute();
  return (
    <section className="rotation" aria-label="Rotation">
      {rotation.next ? (
        <Counting key="counting" rotation={rotation} next={rotation.next} />
      ) : (
        <Waiting key="waiting" rotation={rotation} />
      )}
      <Unfinished apiKey={apiKey} rotation={rotation} />
    </section>
  );
}

interface CountingProps {
  rotation: KeyRotation;
  next: NonNullable<KeyRotation['next']>;
}

function Counting({ rotation: { newest, older }, next: { secret, at } }: CountingProps) {
  const end = new Date(at).toISOString();
  const which = older.length === 1 ? 'The old secret' : 'The next old secret';
  return (
    <>
      <div className="rotation__head">
        <div>
          <h2>{`${which} stops working in`}</h2>
          <CountdownClock at={at} />
          <p className="rotation__text">
            {`${exactTime(end)}. From then on, requests with it are rejected with 401.`}
          </p>
        </div>
        {older.length === 1 ? <RetireButton secret={secret} /> : null}
      </div>
      <CountdownBar
        from={Date.parse(newest.createdAt)}
        to={at}
        startLabel={`Rotated ${relativeTime(newest.createdAt)}`}
        endLabel={exactTime(end)}
      />
    </>
  );
}

function Waiting({ rotation: { newest, older, grace } }: { rotation: KeyRotation }) {
  const [secret] = older;
  const whole = grace === null ? 'the grace period' : formatGrace(grace);
  return (
    <>
      <div className="rotation__head">
        <div>
          <h2>Waiting for the first request with the new secret</h2>
          <p className="rotation__text">
            {`The old secret works until then, and ${whole} longer. Give your program the new secret to continue.`}
          </p>
        </div>
        {secret && older.length === 1 ? <RetireButton secret={secret} /> : null}
      </div>
      <PendingCountdownBar
        startLabel={`Rotated ${relativeTime(newest.createdAt)}`}
        endLabel={`${whole} after the first request`}
      />
    </>
  );
}

/** Points out that programs still use the old secret and none has the new one. */
function Unfinished({
  apiKey,
  rotation: { newest, older, next, isUnfinished },
}: {
  apiKey: Key;
  rotation: KeyRotation;
}) {
  if (!isUnfinished) return null;
  const rotatedAt = Date.parse(newest.createdAt);
  const used = older.find(({ lastUsedAt }) => lastUsedAt !== null && Date.parse(lastUsedAt) >= rotatedAt);
  const usedAt = used?.lastUsedAt ?? null;
  const usage =
    usedAt === null
      ? 'No program has used the new secret yet.'
      : `No program has used the new secret yet. The old one was last used ${relativeTime(usedAt)}.`;
  const consequence =
    next === null
      ? ''
      : ` Programs without the new secret fail ${relativeTime(new Date(next.at).toISOString())}.`;
  return (
    <Notice tone="warn">
      <p>
        <strong>Rotation unfinished.</strong> <span>{`${usage}${consequence}`}</span>
      </p>
      <p>
        <span>If the new secret of </span>
        <bdi translate="no">{apiKey.name}</bdi>
        <span> was lost, rotate again: it cannot be shown again.</span>
      </p>
    </Notice>
  );
}
