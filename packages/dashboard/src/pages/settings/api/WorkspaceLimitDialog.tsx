import { useQuery, useQueryClient } from '@tanstack/react-query';
import { changeWorkspace, commonLimitOf, workspaceOptions } from '../../../api/workspace.ts';
import { Dialog } from '../../../components/Dialog.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { announce } from '../../../components/Toast.tsx';
import { LimitForm } from './LimitForm.tsx';
import { inheritedInWords, limitInWords } from './limit.ts';

/** The limit of every key that has none of its own. */
export function WorkspaceLimitDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const { data: workspace, error } = useQuery(workspaceOptions);
  return (
    <Dialog title="Limit of each key" onCloseRequest={onClose}>
      {workspace ? (
        <LimitForm
          label="Requests a minute"
          inherited={inheritedInWords("Server's default", workspace.defaultRateLimit)}
          value={workspace.rateLimit}
          save={async (rateLimit) => {
            const changed = await changeWorkspace({ rateLimit });
            client.setQueryData(workspaceOptions.queryKey, changed);
            announce(`Limit of each key: ${limitInWords(commonLimitOf(changed))}, from the next request on.`);
          }}
          onClose={onClose}
        >
          <p>Keys with a limit of their own keep it.</p>
        </LimitForm>
      ) : null}
      {!workspace && error ? <Failure error={error} /> : null}
      {!workspace && !error ? <Skeleton width="full" /> : null}
    </Dialog>
  );
}
