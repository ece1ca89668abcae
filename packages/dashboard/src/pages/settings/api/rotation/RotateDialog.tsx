import type { Key } from '@soku/contract/keys';
import type { RotateKey } from '@soku/contract/rotation';
import { useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { fetchKey, keyOptions } from '../../../../api/keys.ts';
import { retireSecret, rotateKey } from '../../../../api/rotation.ts';
import { Loading } from '../../../../components/Loading.tsx';
import { exactTime } from '../../../../dates/dates.ts';
import { withSignIn } from '../../../../session/sign-in-again.ts';
import { NewKeyDialog } from '../NewKeyDialog.tsx';
import { storeNewKey, useNewKey } from '../new-key.ts';
import { RescueDialog } from '../RescueDialog.tsx';
import { useCreateKey } from '../use-create-key.ts';
import { LostRotation } from './LostRotation.tsx';
import { RotateForm } from './RotateForm.tsx';
import { formatGrace, rotationOf } from './rotation.ts';

/** Gives a key a new secret, and shows it once. */
export function RotateDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const { data: key, error } = useQuery(keyOptions(id));
  const { created } = useNewKey();
  const { rotateAgain, ...creation } = useRotation(id);
  return (
    <NewKeyDialog
      title="Rotate this key"
      creation={creation}
      lead={created ? describeOldSecret(created.key) : ''}
      remedy="If you close now, you will have to rotate the key again."
      form={(close) =>
        key ? <RotateForm apiKey={key} creation={creation} onCancel={close} /> : <Loading error={error} />
      }
      lost={(_id, close) => <LostRotation onRotateAgain={rotateAgain} onClose={close} />}
      onClose={onClose}
    />
  );
}

/**
 * Rotates once. If the response was lost, the rotation can be repeated: no one has the secret of the first one, so it is
 * retired as soon as there is another one.
 */
function useRotation(id: string) {
  const last = useRef<RotateKey | null>(null);
  const lost = useRef<string | null>(null);
  const send = (rotation: RotateKey, idempotencyKey: string) => {
    last.current = rotation;
    return rotateKey(id, rotation, idempotencyKey);
  };
  const creation = useCreateKey(send, (created) => {
    storeNewKey(created, RescueDialog);
    const unseen = created.key.secrets.find((secret) => secret.id === lost.current);
    // No one has seen this secret, so a failure is harmless: it ends with the grace period.
    if (unseen?.retiredAt === null) void retireSecret(id, unseen.id).catch(() => undefined);
  });
  const rotateAgain = async () => {
    const rotation = last.current;
    if (rotation === null) return;
    // Not through the query client, which would wait without an end while the browser is offline.
    const { secrets } = await withSignIn(() => fetchKey(id));
    lost.current = secrets[0]?.id ?? null;
    creation.startOver();
    await creation.create(rotation);
  };
  return { ...creation, rotateAgain };
}

/** What becomes of the old secret. */
function describeOldSecret(key: Key): string {
  const rotation = rotationOf(key, Date.now());
  if (rotation === null) return 'The old secret no longer works.';
  if (rotation.next)
    return `The old secret works until ${exactTime(new Date(rotation.next.at).toISOString())}.`;
  return `The old secret works until ${formatGrace(rotation.grace ?? 0)} after the first request with this one.`;
}
