import {
  type NotificationSettings,
  type OptionalMail,
  optionalMailSchema,
} from '@soku/contract/notifications';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { changeNotifications, notificationsOptions } from '../../../api/notifications.ts';
import { Badge } from '../../../components/Badge.tsx';
import { SelectField } from '../../../components/Field.tsx';
import { Failure, Notice } from '../../../components/Notice.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { userTimeZone } from '../../../dates/zone.ts';
import { withSignIn } from '../../../session/sign-in-again.ts';

const kinds: Record<OptionalMail, { name: string; more: string }> = {
  keyCreated: { name: 'Created keys', more: 'Someone creates or imports keys.' },
  keyRotated: { name: 'Rotated keys', more: 'A key gets a new secret.' },
  keyRevoked: { name: 'Revoked keys', more: 'Keys stop working permanently.' },
  keyExpiring: { name: 'Expiring keys', more: '14, 3 and 1 days before the expiration date.' },
  keyIdle: { name: 'Idle keys', more: 'Two warnings before a policy disables a key, and when it does.' },
  rotationDue: {
    name: 'Keys due for rotation',
    more: 'Once, when a secret becomes older than the maximum age.',
  },
  webhookDisabled: { name: 'Disabled webhooks', more: 'A webhook receives no more events.' },
};

/** Which emails the account gets. Each change is saved at once. */
export function EmailSettings() {
  const { data, error } = useQuery(notificationsOptions);
  const { save, failure } = useSave();

  // Only once, because a failed change makes the stored zone appear again.
  const suggested = useRef(false);
  useEffect(() => {
    if (data?.timeZone !== null || suggested.current) return;
    suggested.current = true;
    save({ ...data, timeZone: userTimeZone }, { isSuggestion: true });
  }, [data, save]);

  if (data === undefined) {
    return (
      <div className="section__row">{error ? <Failure error={error} /> : <Skeleton width="long" />}</div>
    );
  }
  return (
    <>
      {data.delivery === 'outbox' ? <NotSent /> : null}
      {optionalMailSchema.options.map((kind) => (
        <div key={kind} className="section__row">
          <label className="check">
            <input
              type="checkbox"
              checked={data.mails[kind]}
              onChange={({ target }) => save({ ...data, mails: { ...data.mails, [kind]: target.checked } })}
            />
            <span>{kinds[kind].name}</span>
            <span className="check__more">{kinds[kind].more}</span>
          </label>
        </div>
      ))}
      <div className="section__row">
        <div>
          <p>Security</p>
          <p className="email__more">
            Leaked keys, revoked secrets in use, new sign-ins and changed passwords.
          </p>
        </div>
        <Badge>Always on</Badge>
      </div>
      <div className="email__zone">
        <SelectField
          label="Time zone"
          hint="For the times in emails."
          value={data.timeZone ?? 'UTC'}
          onChange={({ target }) => save({ ...data, timeZone: target.value })}
        >
          {zones(data.timeZone).map((zone) => (
            <option key={zone} value={zone} translate="no">
              {zone}
            </option>
          ))}
        </SelectField>
        <Failure error={failure} />
      </div>
    </>
  );
}

function NotSent() {
  return (
    <div className="email__unsent">
      <Notice tone="warn">
        <p>
          <span>
            No SMTP server is configured, so emails are not sent. They are written to the directory{' '}
          </span>
          <code translate="no">outbox</code>
          <span> in the data directory of the server.</span>
        </p>
      </Notice>
    </div>
  );
}

/** Shows a change at once and sends one after another, so that the last one stays. */
function useSave() {
  const client = useQueryClient();
  const [failure, setFailure] = useState<unknown>(null);
  const sending = useRef(Promise.resolve());
  const save = useCallback(
    (next: NotificationSettings, { isSuggestion = false } = {}) => {
      const { mails, timeZone } = next;
      const { queryKey } = notificationsOptions;
      client.setQueryData(queryKey, next);
      setFailure(null);
      sending.current = sending.current
        .then(() => withSignIn(() => changeNotifications({ mails, timeZone })))
        .then(
          () => undefined,
          (problem) => {
            // The server may not know the zone of a newer browser. Times then stay in UTC.
            if (!isSuggestion) setFailure(problem);
            return client.invalidateQueries({ queryKey });
          },
        );
    },
    [client],
  );
  return { save, failure };
}

/** The zones of this browser, and the stored one, which another browser may have named. */
function zones(stored: string | null): string[] {
  return [...new Set(['UTC', stored ?? 'UTC', ...Intl.supportedValuesOf('timeZone')])].sort();
}
