import type { ApiKeysSearch } from '../../search.ts';
import { DisableDialog } from './DisableDialog.tsx';
import { GenerateDialog } from './GenerateDialog.tsx';
import { RenameDialog } from './RenameDialog.tsx';
import { RevokeDialog } from './RevokeDialog.tsx';
import { RotateDialog } from './rotation/RotateDialog.tsx';
import type { OnRevoked } from './use-after-revoke.ts';
import { WorkspaceLimitDialog } from './WorkspaceLimitDialog.tsx';

interface KeyPanelsProps {
  search: Pick<ApiKeysSearch, 'panel' | 'key'>;
  onClose: () => void;
  onRevoked: OnRevoked;
}

/** The dialog that the URL names, if any. */
export function KeyPanels({ search: { panel, key }, onClose, onRevoked }: KeyPanelsProps) {
  if (panel === 'generate') return <GenerateDialog onClose={onClose} />;
  if (panel === 'limit') return <WorkspaceLimitDialog onClose={onClose} />;
  if (key === undefined) return null;
  if (panel === 'rename') return <RenameDialog id={key} onClose={onClose} />;
  if (panel === 'rotate') return <RotateDialog id={key} onClose={onClose} />;
  if (panel === 'disable') return <DisableDialog id={key} onClose={onClose} />;
  return panel === 'revoke' ? <RevokeDialog id={key} onClose={onClose} onRevoked={onRevoked} /> : null;
}
