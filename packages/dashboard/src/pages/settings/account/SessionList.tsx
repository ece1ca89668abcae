import type { BrowserSession } from '@soku/contract/accounts';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { browserSessionsOptions, endSession } from '../../../api/account.ts';
import { Badge } from '../../../components/Badge.tsx';
import { Button } from '../../../components/Button.tsx';
import { describeDevice } from '../../../components/device.ts';
import { Failure } from '../../../components/Notice.tsx';
import { RelativeTime } from '../../../components/RelativeTime.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { announce } from '../../../components/Toast.tsx';
import { withSignIn } from '../../../session/sign-in-again.ts';

export function SessionList() {
  const { data, error } = useQuery(browserSessionsOptions);
  if (!data && error) {
    return (
      <div className="section__row">
        <Failure error={error} />
      </div>
    );
  }
  if (!data) {
    return (
      <div className="section__row session" aria-hidden>
        <div>
          <p>
            <Skeleton width="middle" />
          </p>
          <p>
            <Skeleton width="long" />
          </p>
        </div>
      </div>
    );
  }
  return (
    <ul aria-label="Sessions">
      {data.map((session) => (
        <SessionRow key={session.id} session={session} />
      ))}
    </ul>
  );
}

function SessionRow({ session }: { session: BrowserSession }) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const device = describeDevice(session.userAgent);

  const end = async () => {
    setBusy(true);
    setError(null);
    try {
      await withSignIn(() => endSession(session.id));
      await client.invalidateQueries({ queryKey: browserSessionsOptions.queryKey });
      announce(`Session ended: ${device}`);
      document.querySelector<HTMLElement>('h1')?.focus();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };

  return (
    <li className="section__row session">
      <div>
        <p className="session__device">
          <span translate="no">{device}</span>
          {session.current ? <Badge>This browser</Badge> : null}
        </p>
        <p className="session__more">
          <span>{session.ipAddress === '' ? 'signed in' : `${session.ipAddress}, signed in`}</span>{' '}
          <RelativeTime at={session.createdAt} />
        </p>
        <Failure error={error} />
      </div>
      {session.current ? null : (
        <Button busy={busy} onClick={end} aria-label={`End session: ${device}`}>
          End
        </Button>
      )}
    </li>
  );
}
