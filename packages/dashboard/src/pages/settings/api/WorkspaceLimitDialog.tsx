import { useQuery, useQueryClient } from '@tanstack/react-query';
import { changeWorkspace, defaultLimitOf, workspaceOptions } from '../../../api/workspace.ts';
import { Dialog } from '../../../components/Dialog.tsx';
import { Loading } from '../../../components/Loading.tsx';
import { announce } from '../../../components/Toast.tsx';
import { LimitForm } from './LimitForm.tsx';
import { formatLimit, inheritedLimitLabel } from './limit.ts';

/** Changes the limit of all keys without their own limit. */
export function WorkspaceLimitDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const { data: workspace, error } = useQuery(workspaceOptions);
  return (
    <Dialog title="Default rate limit" onCloseRequest={onClose}>
      {workspace ? (
        <LimitForm
          label="Rate limit"
          inherited={inheritedLimitLabel('Server default', workspace.defaultRateLimit)}
          value={workspace.rateLimit}
          save={async (rateLimit) => {
            const changed = await changeWorkspace({ rateLimit });
            client.setQueryData(workspaceOptions.queryKey, changed);
            announce(
              `Default rate limit: ${formatLimit(defaultLimitOf(changed))}, starting with the next request.`,
            );
          }}
          onClose={onClose}
        >
          <p>Keys with their own limit are not affected.</p>
        </LimitForm>
      ) : (
        <Loading error={error} />
      )}
    </Dialog>
  );
}
