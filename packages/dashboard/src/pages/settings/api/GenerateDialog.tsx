import { createKey } from '../../../api/change-keys.ts';
import { GenerateForm } from './GenerateForm.tsx';
import { LostResponse } from './LostResponse.tsx';
import { NewKeyDialog } from './NewKeyDialog.tsx';
import { storeNewKey } from './new-key.ts';
import { RescueDialog } from './RescueDialog.tsx';
import { useCreateKey } from './use-create-key.ts';

/** Asks for a name, creates the key and shows it once. */
export function GenerateDialog({ onClose }: { onClose: () => void }) {
  const creation = useCreateKey(createKey, (created) => storeNewKey(created, RescueDialog));
  return (
    <NewKeyDialog
      title="Generate a new key"
      creation={creation}
      lead="Soku stores only its fingerprint."
      remedy="If you close now, you will have to revoke it and create another one."
      form={(close) => <GenerateForm creation={creation} onCancel={close} />}
      lost={(id, close) => <LostResponse id={id} onCreateAnother={creation.startOver} onClose={close} />}
      onClose={onClose}
    />
  );
}
