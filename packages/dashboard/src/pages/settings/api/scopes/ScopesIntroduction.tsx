import { Plus } from 'lucide-react';
import { Button } from '../../../../components/Button.tsx';
import { Code } from '../../../../components/Code.tsx';
import { EmptyState } from '../../../../components/EmptyState.tsx';
import { usePanel } from '../../../../components/use-panel.ts';

const example = 'GET /v1/verify?scope=files:read';

/** Shown while the workspace has no scopes. */
export function ScopesIntroduction() {
  const { openPanel } = usePanel();
  return (
    <div className="scopes-introduction">
      <EmptyState title="No scopes yet">
        <p>
          <span>A scope names something that your API does, such as </span>
          <code translate="no">files:read</code>
          <span> and </span>
          <code translate="no">files:write</code>
          <span>
            . Give a key only the scopes that its program needs, and require one when you verify a key:
          </span>
        </p>
        <Code code={example} label="Require a scope" />
        <p>A key without this scope is then rejected with 403.</p>
        <div className="empty__actions">
          <Button icon={Plus} onClick={() => openPanel('add')}>
            Add your first scope
          </Button>
        </div>
      </EmptyState>
    </div>
  );
}
