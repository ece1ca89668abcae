import { useQuery } from '@tanstack/react-query';
import { defaultLimitOf, workspaceOptions } from '../../../api/workspace.ts';
import { LimitField } from './LimitField.tsx';
import { inheritedLimitLabel } from './limit.ts';

/** The rate limit in the form for a new key. While the workspace is loading, the default is shown without a number. */
export function NewKeyLimit({ problem }: { problem: string | undefined }) {
  const { data: workspace } = useQuery(workspaceOptions);
  return (
    <LimitField
      label="Rate limit"
      inherited={inheritedLimitLabel('Workspace default', workspace && defaultLimitOf(workspace))}
      value={null}
      problem={problem}
    />
  );
}
