import './RevokeKeysDialog.css';
import type { ListedKey } from '@soku/contract/keys';
import type { RevokedKeys } from '@soku/contract/revocations';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { removeRevokedKeys, revokeKeys } from '../../../../api/revoke-many.ts';
import { Button } from '../../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../../components/Dialog.tsx';
import { formatNumber } from '../../../../components/format-number.ts';
import { KeyPreview } from '../../../../components/KeyTeeth.tsx';
import { Failure } from '../../../../components/Notice.tsx';
import { useCall } from '../../../../components/use-call.ts';
import { relativeTime } from '../../../../dates/dates.ts';
import { withSignIn } from '../../../../session/sign-in-again.ts';
import { readReason } from '../revoke-reasons.ts';
import { Waiting } from '../Waiting.tsx';
import { describeUse, sortBusiestFirst } from './busiest-keys.ts';
import { formatKeyCount, formatRequestCount } from './count-keys.ts';
import { ReasonField } from './ReasonField.tsx';
import { revokedText } from './revoked-text.ts';

interface RevokeKeysDialogProps {
  /** The selected keys. */
  keys: ListedKey[];
  onClose: () => void;
  onRevoked: (message: string) => void;
}

/** Revokes the selected keys: all of them or none. */
export function RevokeKeysDialog({ keys, onClose, onRevoked }: RevokeKeysDialogProps) {
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const { busy, error, run } = useCall(async () => {
    const ids = keys.map(({ id }) => id);
    const result = await withSignIn(() => revokeKeys(ids, readReason(reason)));
    removeRevokedKeys(client, new Set([...result.revoked, ...result.alreadyRevoked]));
    onRevoked(resultText(result));
  });
  const close = () => {
    if (!busy) onClose();
  };
  const count = formatKeyCount(keys.length);

  return (
    <Dialog title={`Revoke ${count}?`} role="alertdialog" onCloseRequest={close}>
      <div className="form">
        <KeysFacts keys={keys} />
        <p>
          <span>{keys.length === 1 ? 'This key stops' : 'These keys stop'}</span>
          <span> working on every server: requests are rejected with </span>
          <code translate="no">401 Unauthorized</code>
          <span>. </span>
          <strong>This cannot be undone.</strong>
        </p>
        <ReasonField value={reason} onChange={setReason} />
        <Failure error={error} />
        <DialogActions>
          <Waiting busy={busy} delayed="This is taking longer than usual. The keys may already be revoked." />
          <Button data-autofocus onClick={close}>
            Cancel
          </Button>
          <Button variant="danger" busy={busy} onClick={run}>
            {`Revoke ${count}`}
          </Button>
        </DialogActions>
      </div>
    </Dialog>
  );
}

/** How many keys the dialog shows: none of the others is busier. */
const shownKeys = 5;

function KeysFacts({ keys }: { keys: ListedKey[] }) {
  const shown = sortBusiestFirst(keys).slice(0, shownKeys);
  const more = keys.length - shown.length;
  return (
    <div className="revoke-keys">
      <p className="revoke-keys__use">{`${capitalize(describeUse(keys))}.`}</p>
      <ul className="revoke-keys__list">
        {shown.map((key) => (
          <li key={key.id}>
            <bdi className="revoke-keys__name" translate="no">
              {key.name}
            </bdi>
            <KeyPreview preview={key.preview} status={key.status} />
            <span className="revoke-keys__last">{lastUse(key)}</span>
          </li>
        ))}
      </ul>
      {more > 0 ? (
        <p className="revoke-keys__more">{`and ${formatNumber(more)} more, none busier than these.`}</p>
      ) : null}
    </div>
  );
}

function capitalize(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function lastUse({ usage, lastUsedAt }: ListedKey): string {
  if (lastUsedAt === null) return 'Never used';
  const accepted = usage?.accepted ?? 0;
  const used = `last used ${relativeTime(lastUsedAt)}`;
  return accepted === 0 ? capitalize(used) : `${formatRequestCount(accepted)}, ${used}`;
}

function resultText({ revoked, alreadyRevoked, revocation }: RevokedKeys): string {
  return revokedText(revoked.length, alreadyRevoked.length, revocation);
}
