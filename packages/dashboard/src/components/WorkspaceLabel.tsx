import './WorkspaceLabel.css';
import { useSession } from '../api/session.ts';
import { hostOf } from './host.ts';

/** The full name of the workspace, and the host that serves it. */
export function WorkspaceLabel() {
  const session = useSession();
  if (!session?.workspace) return null;
  return (
    <div className="workspace">
      <p className="workspace__name" translate="no">
        {session.workspace.name}
      </p>
      <p className="workspace__host" translate="no">
        {hostOf(session.publicUrl)}
      </p>
    </div>
  );
}
