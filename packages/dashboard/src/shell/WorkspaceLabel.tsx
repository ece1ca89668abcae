import './WorkspaceLabel.css';
import { useSession } from '../api/session.ts';
import { hostOf } from '../components/host.ts';

/** The full name of the workspace, and the host that serves it. It takes the same space while the session is loading. */
export function WorkspaceLabel() {
  const session = useSession();
  return (
    <div className="workspace">
      {session?.workspace ? (
        <p className="workspace__name" translate="no">
          {session.workspace.name}
        </p>
      ) : null}
      {session ? (
        <p className="workspace__host" translate="no">
          {hostOf(session.publicUrl)}
        </p>
      ) : null}
    </div>
  );
}
