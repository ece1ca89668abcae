import type { Key } from '@soku/contract/keys';
import { usePanel } from '../../../../components/use-panel.ts';
import type { KeySearch } from '../../../search.ts';
import { DisableDialog } from '../DisableDialog.tsx';
import { RenameDialog } from '../RenameDialog.tsx';
import { RevokeDialog } from '../RevokeDialog.tsx';
import { RetireDialog } from '../rotation/RetireDialog.tsx';
import { RotateDialog } from '../rotation/RotateDialog.tsx';
import { useAfterRevoke } from '../use-after-revoke.ts';

const noRows: Key[] = [];

/** The dialog of a key's page that the URL names, if any. */
export function KeyDialogs({ id, search: { panel, secret } }: { id: string; search: KeySearch }) {
  const { closePanel } = usePanel();
  const afterRevoke = useAfterRevoke(noRows, panel);
  if (panel === 'rename') return <RenameDialog id={id} onClose={closePanel} />;
  if (panel === 'disable') return <DisableDialog id={id} onClose={closePanel} />;
  if (panel === 'rotate') return <RotateDialog id={id} onClose={closePanel} />;
  if (panel === 'retire') return <RetireDialog id={id} secretId={secret} onClose={closePanel} />;
  if (panel !== 'revoke') return null;
  return (
    <RevokeDialog
      id={id}
      onClose={closePanel}
      onRevoked={(revoked, revocation) => {
        afterRevoke(revoked, revocation);
        closePanel();
      }}
    />
  );
}
