import { signingSecretGraceSeconds, type Webhook } from '@soku/contract/webhooks';
import { useState } from 'react';
import { rotateSigningSecret } from '../../../api/change-webhooks.ts';
import { Button } from '../../../components/Button.tsx';
import { DialogActions } from '../../../components/Dialog.tsx';
import { SelectField } from '../../../components/Field.tsx';
import { Failure, Notice } from '../../../components/Notice.tsx';
import { useSubmit } from '../../../components/use-submit.ts';
import { exactTime } from '../../../dates/dates.ts';
import { useRenderEveryMinute } from '../../../dates/use-render-every-minute.ts';
import { graceChoices } from '../api/rotation/grace.ts';
import { NewSecretDialog } from './NewSecretDialog.tsx';
import { type NewSigningSecret, useSigningSecret } from './use-signing-secret.ts';

/** Replaces the signing secret of a webhook and shows the new one once. */
export function RotateSecretDialog({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const newSecret = useSigningSecret(
    'The response was lost, so the secret may have been rotated. Rotate again to get one that you can copy.',
  );
  return (
    <NewSecretDialog
      title="Rotate the signing secret"
      newSecret={newSecret}
      lead={describeOlder(newSecret.read()?.webhook.secrets)}
      remedy="If you close now, you will have to rotate again to get another one."
      form={(close) => <RotateSecretForm id={webhook.id} newSecret={newSecret} onCancel={close} />}
      onClose={onClose}
    />
  );
}

function describeOlder(secrets: Webhook['secrets'] = []): string {
  const [last] = secrets.flatMap(({ retiresAt }) => retiresAt ?? []).sort((a, b) => b.localeCompare(a));
  if (last === undefined) return 'Requests are signed only with this one now.';
  return `Until ${exactTime(last)}, requests are also signed with the older one.`;
}

function describeGrace(seconds: number): string {
  const end = exactTime(new Date(Date.now() + seconds * 1000).toISOString());
  return `Until ${end}, each request has a signature of both secrets, so the receiver can switch at any time.`;
}

const choices = graceChoices.filter(({ value }) => value !== 'custom');

interface RotateSecretFormProps {
  id: string;
  newSecret: NewSigningSecret;
  onCancel: () => void;
}

function RotateSecretForm({ id, newSecret, onCancel }: RotateSecretFormProps) {
  useRenderEveryMinute();
  const [choice, setChoice] = useState(String(signingSecretGraceSeconds.default));
  const seconds = Number(choice);
  const { busy, failure, submit } = useSubmit(() => newSecret.create(() => rotateSigningSecret(id, seconds)));
  return (
    <form className="form" onSubmit={submit} noValidate>
      <p>The webhook gets a new signing secret, which is shown once.</p>
      <SelectField
        label="How long should requests also be signed with the old secret?"
        data-autofocus
        value={choice}
        onChange={(event) => setChoice(event.target.value)}
        hint={seconds > 0 ? describeGrace(seconds) : null}
      >
        {choices.map(({ value, name }) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </SelectField>
      {seconds === 0 ? (
        <Notice tone="warn">
          <p>
            The receiver rejects requests until it has the new secret. They are retried later. Choose this if
            the old secret has leaked.
          </p>
        </Notice>
      ) : null}
      <Failure error={failure} />
      <DialogActions>
        <Button onClick={onCancel}>Cancel</Button>
        <Button variant={seconds === 0 ? 'danger' : 'primary'} type="submit" busy={busy}>
          {seconds === 0 ? 'Rotate and retire the old secret' : 'Rotate secret'}
        </Button>
      </DialogActions>
    </form>
  );
}
