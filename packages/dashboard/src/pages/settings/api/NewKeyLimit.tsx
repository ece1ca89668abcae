import { useQuery } from '@tanstack/react-query';
import { commonLimitOf, workspaceOptions } from '../../../api/workspace.ts';
import { LimitField } from './LimitField.tsx';
import { inheritedInWords } from './limit.ts';

/** The limit in the form for a new key. The form needs no answer for it: without one, the default has no number. */
export function NewKeyLimit({ problem }: { problem: string | undefined }) {
  const { data: workspace } = useQuery(workspaceOptions);
  return (
    <LimitField
      label="Requests a minute"
      inherited={inheritedInWords("Workspace's default", workspace && commonLimitOf(workspace))}
      value={null}
      problem={problem}
    />
  );
}
