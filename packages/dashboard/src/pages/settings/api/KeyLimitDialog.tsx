import type { Key } from '@soku/contract/keys';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { changeKey, keyOptions, updateCachedKey } from '../../../api/keys.ts';
import { defaultLimitOf, workspaceOptions } from '../../../api/workspace.ts';
import { Dialog } from '../../../components/Dialog.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { announce } from '../../../components/Toast.tsx';
import { LimitForm } from './LimitForm.tsx';
import { formatLimit, inheritedLimitLabel } from './limit.ts';

export function KeyLimitDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const client = useQueryClient();
  const { data: key, error } = useQuery(keyOptions(id));
  const { data: workspace } = useQuery(workspaceOptions);
  const common = workspace && defaultLimitOf(workspace);

  return (
    <Dialog title={`Rate limit of ${key ? `"${key.name}"` : 'this key'}`} onCloseRequest={onClose}>
      {key ? (
        <LimitForm
          label="Rate limit"
          inherited={inheritedLimitLabel('Workspace default', common)}
          value={key.rateLimit}
          save={async (rateLimit) => {
            const changed = await changeKey(id, { rateLimit });
            updateCachedKey(client, changed);
            announce(`"${changed.name}": ${changeMessage(changed, common)}`);
          }}
          onClose={onClose}
        />
      ) : null}
      {!key && error ? <Failure error={error} /> : null}
      {!key && !error ? <Skeleton width="full" /> : null}
    </Dialog>
  );
}

function changeMessage({ rateLimit }: Key, common: Key['rateLimit'] | undefined): string {
  const limit = rateLimit ?? common;
  return limit ? `${formatLimit(limit)}, starting with the next request.` : 'the workspace default applies.';
}
