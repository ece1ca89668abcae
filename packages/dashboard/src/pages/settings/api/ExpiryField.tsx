import { useState } from 'react';
import { exactTime } from '../../../components/dates.ts';
import { SelectField, TextField } from '../../../components/Field.tsx';
import { expiryOf, lifetimes, localInput } from './expiry.ts';

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function ExpiryField({ problem }: { problem: string | undefined }) {
  const [choice, setChoice] = useState('never');
  return (
    <>
      <SelectField
        label="Expires"
        name="expiry"
        value={choice}
        onChange={(event) => setChoice(event.target.value)}
        hint={hintOf(choice)}
      >
        {lifetimes.map(({ value, name }) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </SelectField>
      {choice === 'custom' ? (
        <TextField
          label="Date and time"
          type="datetime-local"
          name="expiresAt"
          min={localInput(new Date())}
          hint={`In your time zone, ${zone}.`}
          problem={problem}
        />
      ) : null}
    </>
  );
}

function hintOf(choice: string): string {
  if (choice === 'custom') return 'From then on the key is refused.';
  const at = expiryOf(choice, '');
  return at === null ? 'The key works until you revoke it.' : `Refused from ${exactTime(at)} on.`;
}
