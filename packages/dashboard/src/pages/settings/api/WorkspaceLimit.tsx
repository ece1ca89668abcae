import { useQuery } from '@tanstack/react-query';
import { defaultLimitOf, workspaceOptions } from '../../../api/workspace.ts';
import { Button } from '../../../components/Button.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import type { Panel } from '../../../components/use-panel.ts';
import { formatLifetime } from './lifetime.ts';
import { formatLimit } from './limit.ts';

/** The workspace's default rate limit and maximum lifetime. Renders nothing if they cannot be loaded. */
export function WorkspaceLimit({ openPanel }: { openPanel: (panel: Panel) => void }) {
  const { data: workspace, error } = useQuery(workspaceOptions);
  if (error && !workspace) return null;
  if (!workspace)
    return (
      <p className="workspace-limit">
        <span>Default rate limit: </span>
        <Skeleton />
      </p>
    );
  const settings = [
    { panel: 'limit', name: 'Default rate limit', value: formatLimit(defaultLimitOf(workspace)) },
    { panel: 'policies', name: 'Maximum lifetime', value: formatLifetime(workspace.maxKeyLifetimeDays) },
  ] as const;
  return settings.map(({ panel, name, value }) => (
    <p className="workspace-limit" key={panel}>
      <span>{`${name}: `}</span>
      <span>{value}</span>
      <Button variant="link" onClick={() => openPanel(panel)}>
        <span>Change</span>
        <span className="visually-hidden">{` the ${name.toLowerCase()}`}</span>
      </Button>
    </p>
  ));
}
