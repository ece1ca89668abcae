import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { changeScopes } from '../../../../api/change-scopes.ts';
import { ApiError } from '../../../../api/client.ts';
import { fetchKeys } from '../../../../api/keys.ts';
import { Button, buttonClass } from '../../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../../components/Dialog.tsx';
import { Failure } from '../../../../components/Notice.tsx';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { useCall } from '../../../../components/use-call.ts';
import { withSignIn } from '../../../../session/sign-in-again.ts';
import { formatKeyCount } from '../bulk/count-keys.ts';

interface RemoveScopeDialogProps {
  name: string;
  onClose: () => void;
  onRemoved: (message: string) => void;
}

/** Removes a scope that no key holds. */
export function RemoveScopeDialog({ name, onClose, onRemoved }: RemoveScopeDialogProps) {
  const client = useQueryClient();
  const holders = useHolders(name);
  const { busy, error, run } = useCall(async () => {
    await withSignIn(() => changeScopes(client, (own) => own.filter((scope) => scope.name !== name)));
    onRemoved(`Removed the scope ${name}.`);
  });
  const isHeld = (holders.data ?? 0) > 0 || (error instanceof ApiError && error.code === 'scope_in_use');
  const close = () => {
    if (!busy) onClose();
  };

  return (
    <Dialog
      title={isHeld ? 'This scope is in use' : 'Remove this scope?'}
      role="alertdialog"
      onCloseRequest={close}
    >
      <div className="form">
        <p>
          <code translate="no">{name}</code>
        </p>
        {holders.isPending ? <Skeleton width="full" /> : <p>{consequence(holders.data)}</p>}
        <Failure error={error} />
        <DialogActions>
          <Button data-autofocus onClick={close}>
            {isHeld ? 'Close' : 'Cancel'}
          </Button>
          {isHeld ? (
            <Link to="/settings/api" search={{ scope: name }} className={buttonClass('primary')}>
              Show these keys
            </Link>
          ) : (
            <Button variant="danger" busy={busy} onClick={run}>
              Remove scope
            </Button>
          )}
        </DialogActions>
      </div>
    </Dialog>
  );
}

/** How many keys that are not revoked hold the scope by its name. */
function useHolders(scope: string) {
  return useQuery({
    queryKey: ['keys', 'holders', scope],
    queryFn: async ({ signal }) => {
      const { counts } = await fetchKeys({ scope, status: 'all', limit: 1, include: 'counts' }, signal);
      return counts ? counts.all - counts.revoked : 0;
    },
    retry: false,
    gcTime: 0,
  });
}

/** @param holders undefined if they could not be counted */
function consequence(holders: number | undefined): string {
  if (holders === undefined)
    return 'The keys that hold it could not be counted. It is removed only if no key holds it.';
  if (holders === 0) return 'No key holds this scope by name.';
  return `${formatKeyCount(holders)} ${holders === 1 ? 'holds' : 'hold'} it. Remove it from ${
    holders === 1 ? 'this key' : 'these keys'
  } first, or revoke ${holders === 1 ? 'it' : 'them'}.`;
}
