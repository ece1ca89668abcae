import { useQuery } from '@tanstack/react-query';
import { commonLimitOf, workspaceOptions } from '../../../api/workspace.ts';
import { LimitField } from './LimitField.tsx';
import { inheritedInWords } from './limit.ts';

/** The rate limit in the form for a new key. While the workspace is loading, the default is shown without a number. */
export function NewKeyLimit({ problem }: { problem: string | undefined }) {
  const { data: workspace } = useQuery(workspaceOptions);
  return (
    <LimitField
      label="Rate limit"
      inherited={inheritedInWords('Workspace default', workspace && commonLimitOf(workspace))}
      value={null}
      problem={problem}
    />
  );
}
