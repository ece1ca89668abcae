import { useQuery } from '@tanstack/react-query';
import { defaultLimitOf, workspaceOptions } from '../../../api/workspace.ts';
import { Button } from '../../../components/Button.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { formatLimit } from './limit.ts';

/** The workspace's default rate limit. Renders nothing if it cannot be loaded. */
export function WorkspaceLimit({ onChange }: { onChange: () => void }) {
  const { data: workspace, error } = useQuery(workspaceOptions);
  if (error && !workspace) return null;
  return (
    <p className="workspace-limit">
      <span>Default rate limit: </span>
      {workspace ? (
        <>
          <span>{formatLimit(defaultLimitOf(workspace))}</span>
          <Button variant="link" onClick={onChange}>
            <span>Change</span>
            <span className="visually-hidden"> the default rate limit</span>
          </Button>
        </>
      ) : (
        <Skeleton />
      )}
    </p>
  );
}
