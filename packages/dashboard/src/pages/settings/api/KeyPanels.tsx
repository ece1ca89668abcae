import type { ListedKey } from '@soku/contract/keys';
import type { ApiKeysSearch } from '../../search.ts';
import { RevokeAllDialog } from './bulk/RevokeAllDialog.tsx';
import { RevokeKeysDialog } from './bulk/RevokeKeysDialog.tsx';
import { DisableDialog } from './DisableDialog.tsx';
import { GenerateDialog } from './GenerateDialog.tsx';
import { PoliciesDialog } from './hygiene/PoliciesDialog.tsx';
import { RenameDialog } from './RenameDialog.tsx';
import { RevokeDialog } from './RevokeDialog.tsx';
import { RotateDialog } from './rotation/RotateDialog.tsx';
import type { OnRevoked } from './use-after-revoke.ts';
import { WorkspaceLimitDialog } from './WorkspaceLimitDialog.tsx';

interface KeyPanelsProps {
  search: Pick<ApiKeysSearch, 'panel' | 'key'>;
  selected: ListedKey[];
  onClose: () => void;
  onRevoked: OnRevoked;
  /** After a revoke of several keys. */
  onRevokedMany: (message: string) => void;
}

/** The dialog that the URL names, if any. */
export function KeyPanels({ search: { panel, key }, ...props }: KeyPanelsProps) {
  const { selected, onClose, onRevokedMany } = props;
  if (panel === 'generate') return <GenerateDialog onClose={onClose} />;
  if (panel === 'limit') return <WorkspaceLimitDialog onClose={onClose} />;
  if (panel === 'policies') return <PoliciesDialog onClose={onClose} />;
  if (panel === 'revoke-all') return <RevokeAllDialog onClose={onClose} onRevoked={onRevokedMany} />;
  if (panel === 'revoke-selected' && selected.length > 0)
    return <RevokeKeysDialog keys={selected} onClose={onClose} onRevoked={onRevokedMany} />;
  return key === undefined ? null : <KeyPanel {...props} panel={panel} id={key} />;
}

/** A dialog about one key. */
function KeyPanel({ panel, id, onClose, onRevoked }: KeyPanelProps) {
  if (panel === 'rename') return <RenameDialog id={id} onClose={onClose} />;
  if (panel === 'rotate') return <RotateDialog id={id} onClose={onClose} />;
  if (panel === 'disable') return <DisableDialog id={id} onClose={onClose} />;
  return panel === 'revoke' ? <RevokeDialog id={id} onClose={onClose} onRevoked={onRevoked} /> : null;
}

interface KeyPanelProps extends Pick<KeyPanelsProps, 'onClose' | 'onRevoked'> {
  panel: ApiKeysSearch['panel'];
  id: string;
}
