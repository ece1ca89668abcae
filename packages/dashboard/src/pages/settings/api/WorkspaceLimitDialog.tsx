import type { Workspace } from '@soku/contract/workspaces';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { changeWorkspace, defaultLimitOf, workspaceOptions } from '../../../api/workspace.ts';
import { Dialog } from '../../../components/Dialog.tsx';
import { FormActions } from '../../../components/FormActions.tsx';
import { Loading } from '../../../components/Loading.tsx';
import { announce } from '../../../components/Toast.tsx';
import { InvalidFields, useSubmit } from '../../../components/use-submit.ts';
import { withSignIn } from '../../../session/sign-in-again.ts';
import { LimitField } from './LimitField.tsx';
import { formatLimit, inheritedLimitLabel, parseLimit } from './limit.ts';

/** Changes the limit of all keys without their own limit. */
export function WorkspaceLimitDialog({ onClose }: { onClose: () => void }) {
  const { data: workspace, error } = useQuery(workspaceOptions);
  return (
    <Dialog title="Default rate limit" onCloseRequest={onClose}>
      {workspace ? <LimitForm workspace={workspace} onClose={onClose} /> : <Loading error={error} />}
    </Dialog>
  );
}

function LimitForm({ workspace, onClose }: { workspace: Workspace; onClose: () => void }) {
  const client = useQueryClient();
  const { busy, problems, failure, submit, clear } = useSubmit(async (fields) => {
    const read = parseLimit(String(fields.get('limit')), String(fields.get('requests') ?? ''));
    if (read.problem !== undefined) throw new InvalidFields({ requests: read.problem });
    const changed = await withSignIn(() => changeWorkspace({ rateLimit: read.limit }));
    client.setQueryData(workspaceOptions.queryKey, changed);
    announce(`Default rate limit: ${formatLimit(defaultLimitOf(changed))}, starting with the next request.`);
    onClose();
  });

  return (
    <form className="form" onSubmit={submit} onChange={clear} noValidate ref={focusOnce}>
      <LimitField
        label="Rate limit"
        inherited={inheritedLimitLabel('Server default', workspace.defaultRateLimit)}
        value={workspace.rateLimit}
        problem={problems.requests}
      />
      <p>Keys with their own limit are not affected.</p>
      <FormActions failure={failure} busy={busy} onCancel={onClose} submit="Save limit" />
    </form>
  );
}

/** The form may be rendered after its dialog was opened, so it sets the focus itself. */
function focusOnce(form: HTMLFormElement | null): void {
  requestAnimationFrame(() => form?.querySelector<HTMLElement>('[name="limit"]')?.focus());
}
