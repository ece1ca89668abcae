import { useQuery } from '@tanstack/react-query';
import { commonLimitOf, workspaceOptions } from '../../../api/workspace.ts';
import { Button } from '../../../components/Button.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { limitInWords } from './limit.ts';

/** One quiet line: what holds for every key that has no limit of its own. Without an answer it is left out. */
export function WorkspaceLimit({ onChange }: { onChange: () => void }) {
  const { data: workspace, error } = useQuery(workspaceOptions);
  if (error && !workspace) return null;
  return (
    <p className="workspace-limit">
      <span>Limit of each key: </span>
      {workspace ? <span>{limitInWords(commonLimitOf(workspace))}</span> : <Skeleton />}
      <Button look="link" onClick={onChange}>
        <span>Change</span>
        <span className="visually-hidden"> the limit of each key</span>
      </Button>
    </p>
  );
}
