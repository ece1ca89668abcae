import type { Secret } from '@soku/contract/secrets';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { updateCachedKey } from '../../../../api/change-keys.ts';
import { keyOptions } from '../../../../api/keys.ts';
import { retireSecret } from '../../../../api/rotation.ts';
import { usageOptions } from '../../../../api/usage.ts';
import { Button } from '../../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../../components/Dialog.tsx';
import { formatNumber } from '../../../../components/format-number.ts';
import { KeyPreview } from '../../../../components/KeyTeeth.tsx';
import { Failure } from '../../../../components/Notice.tsx';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { announce } from '../../../../components/Toast.tsx';
import { useCall } from '../../../../components/use-call.ts';
import { relativeTimeWithSeconds } from '../../../../dates/dates.ts';
import { withSignIn } from '../../../../session/sign-in-again.ts';
import { Waiting } from '../Waiting.tsx';
import { isAccepted } from './rotation.ts';

interface RetireDialogProps {
  id: string;
  secretId: string | undefined;
  onClose: () => void;
}

/** Retires an old secret before its grace period ends. */
export function RetireDialog({ id, secretId, onClose }: RetireDialogProps) {
  const { data: key, error: loadError } = useQuery(keyOptions(id));
  const client = useQueryClient();
  const secret = key?.secrets.find((each) => each.id === secretId);
  const { busy, error, run } = useCall(async () => {
    if (secret === undefined) return;
    const changed = await withSignIn(() => retireSecret(id, secret.id));
    updateCachedKey(client, changed);
    announce(`${secret.preview}: Retired. No server accepts it anymore.`);
    onClose();
  });
  const requestClose = () => {
    if (!busy) onClose();
  };
  const canRetire = secret !== undefined && (busy || isAccepted(secret, Date.now()));
  return (
    <Dialog title="Retire this secret?" role="alertdialog" onCloseRequest={requestClose}>
      <div className="form">
        {loadError && !key ? <Failure error={loadError} /> : null}
        {key || loadError ? null : <Skeleton width="full" />}
        {secret ? <SecretFacts id={id} secret={secret} /> : null}
        {canRetire ? (
          <p>
            Every server then rejects requests with this secret with{' '}
            <code translate="no">401 Unauthorized</code>. The newest secret keeps working.{' '}
            <strong>This cannot be undone.</strong>
          </p>
        ) : null}
        {key && !canRetire ? <p>This secret is already retired, or it does not exist.</p> : null}
        <Failure error={error} />
        <DialogActions>
          <Waiting
            busy={busy}
            delayed="This is taking longer than usual. The secret may already be retired."
          />
          <Button data-autofocus onClick={requestClose}>
            {canRetire ? 'Cancel' : 'Close'}
          </Button>
          {canRetire ? (
            <Button variant="danger" busy={busy} onClick={run}>
              Retire secret
            </Button>
          ) : null}
        </DialogActions>
      </div>
    </Dialog>
  );
}

/** Which secret it is, and which programs it would stop. */
function SecretFacts({ id, secret }: { id: string; secret: Secret }) {
  const { data: usage, error } = useQuery(usageOptions(id));
  const use = usage?.secrets.find((each) => each.id === secret.id);
  return (
    <div className="facts">
      <p>
        <KeyPreview preview={secret.preview} status="expired" />
      </p>
      <div className="key-use" role="status">
        {usage || error ? (
          <p key="use">{describeUse(use?.accepted, secret.lastUsedAt)}</p>
        ) : (
          <Skeleton key="loading" width="long" />
        )}
        {use?.lastUsed ? (
          <p>
            <span>from </span>
            <code translate="no">{use.lastUsed.address}</code>
            {use.lastUsed.userAgent === '' ? null : (
              <span>
                <span> with </span>
                <code translate="no">{use.lastUsed.userAgent}</code>
              </span>
            )}
          </p>
        ) : null}
      </div>
    </div>
  );
}

function describeUse(accepted: number | undefined, lastUsedAt: string | null): string {
  if (lastUsedAt === null) return 'Never used.';
  const last = `last used ${relativeTimeWithSeconds(lastUsedAt)}`;
  if (accepted === undefined) return `It was ${last}`;
  if (accepted === 0) return `Not used in the last 24 hours, ${last}`;
  return `${accepted === 1 ? '1 request' : `${formatNumber(accepted)} requests`} in the last 24 hours, ${last}`;
}
