import type { Key } from '@soku/contract/keys';
import type { RotateKey } from '@soku/contract/rotation';
import { type FormEvent, useId, useState } from 'react';
import { flushSync } from 'react-dom';
import { Button } from '../../../../components/Button.tsx';
import { DialogActions } from '../../../../components/Dialog.tsx';
import { SelectField, TextField } from '../../../../components/Field.tsx';
import { Failure, Notice } from '../../../../components/Notice.tsx';
import { Segments } from '../../../../components/Segments.tsx';
import { exactTime } from '../../../../dates/dates.ts';
import { useRenderEveryMinute } from '../../../../dates/use-render-every-minute.ts';
import { KeySummary } from '../KeySummary.tsx';
import type { KeyCreation } from '../use-create-key.ts';
import { type GraceStart, graceChoices, readGrace, toRotation } from './grace.ts';
import { formatGrace, rotationOf } from './rotation.ts';

interface RotateFormProps {
  apiKey: Key;
  creation: KeyCreation<RotateKey>;
  onCancel: () => void;
}

/**
 * The default is a day that starts with the first use of the new secret. If the grace period started at once, a
 * deployment that is forgotten or fails would stop the program when it ends.
 */
export function RotateForm({ apiKey, creation, onCancel }: RotateFormProps) {
  const [choice, setChoice] = useState('86400');
  const [hours, setHours] = useState('');
  const [start, setStart] = useState<GraceStart>('firstUse');
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const grace = readGrace(choice, hours);
  const isAtOnce = grace.seconds === 0;
  const refusal = refusalOf(apiKey);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    if (grace.problem === undefined) return void creation.create(toRotation(grace.seconds, start));
    flushSync(() => setProblem(grace.problem));
    form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  };

  if (refusal !== null) return <Refusal apiKey={apiKey} text={refusal} onClose={onCancel} />;
  return (
    <form className="form" onSubmit={submit} noValidate>
      <KeySummary apiKey={apiKey} id={apiKey.id} />
      <p>{describeRotation(apiKey)}</p>
      <SelectField
        label="How long should the old secret keep working?"
        data-autofocus
        value={choice}
        onChange={(event) => {
          setChoice(event.target.value);
          setProblem(undefined);
        }}
      >
        {graceChoices.map(({ value, name }) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </SelectField>
      {choice === 'custom' ? (
        <TextField
          label="Hours"
          inputMode="numeric"
          autoComplete="off"
          placeholder="48"
          value={hours}
          onChange={(event) => {
            setHours(event.target.value);
            setProblem(undefined);
          }}
          problem={problem}
        />
      ) : null}
      {isAtOnce ? (
        <Notice key="at-once" tone="warn">
          <p>
            Programs that use this key fail with 401 until they have the new secret. Choose this if the old
            one has leaked.
          </p>
        </Notice>
      ) : (
        <StartField key="start" start={start} onChoose={setStart} seconds={grace.seconds} />
      )}
      <Failure error={creation.error} />
      <DialogActions>
        <Button onClick={onCancel}>Cancel</Button>
        <Button variant={isAtOnce ? 'danger' : 'primary'} type="submit" busy={creation.busy}>
          {isAtOnce ? 'Rotate and retire the old secret' : 'Rotate key'}
        </Button>
      </DialogActions>
    </form>
  );
}

function describeRotation(key: Key): string {
  const what =
    'The key gets a new secret, which is shown once. Its name, scopes, limits and history stay the same.';
  if (rotationOf(key, Date.now()) === null) return what;
  return `${what} An earlier rotation is still in progress. Its old secrets do not get more time.`;
}

const starts: Array<{ value: GraceStart; name: string }> = [
  { value: 'firstUse', name: 'With the first use of the new secret' },
  { value: 'now', name: 'Now' },
];

interface StartFieldProps {
  start: GraceStart;
  onChoose: (start: GraceStart) => void;
  /** Undefined while the custom period is invalid. */
  seconds: number | undefined;
}

/** When the grace period starts, and the resulting end. */
function StartField({ start, onChoose, seconds }: StartFieldProps) {
  useRenderEveryMinute();
  const hint = useId();
  return (
    <div className="rotate-start">
      <Segments
        label="When does this time start?"
        choices={starts}
        chosen={start}
        onChoose={onChoose}
        describedBy={hint}
      />
      <p className="field__hint" id={hint} role="status">
        {describeEnd(start, seconds)}
      </p>
    </div>
  );
}

function describeEnd(start: GraceStart, seconds: number | undefined): string {
  if (seconds === undefined) return '';
  const end = exactTime(new Date(Date.now() + seconds * 1000).toISOString());
  if (start === 'now') return `The old secret stops working on ${end}, whether or not the new one is in use.`;
  return `The old secret works until a program uses the new one, and ${formatGrace(seconds)} longer: at least until ${end}.`;
}

function refusalOf({ status }: Key): string | null {
  if (status === 'revoked') return 'This key is revoked, so it cannot be rotated. Create a new key.';
  if (status === 'expired') return 'This key has expired. Give it a later expiration date, then rotate it.';
  return null;
}

function Refusal({ apiKey, text, onClose }: { apiKey: Key; text: string; onClose: () => void }) {
  return (
    <div className="form">
      <KeySummary apiKey={apiKey} id={apiKey.id} />
      <p>{text}</p>
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
      </DialogActions>
    </div>
  );
}
