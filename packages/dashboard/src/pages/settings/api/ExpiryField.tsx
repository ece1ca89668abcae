import { useState } from 'react';
import { SelectField, TextField } from '../../../components/Field.tsx';
import { describeExpiry, lifetimes, toDateTimeInput } from './expiry.ts';

export function ExpiryField({ problem }: { problem: string | undefined }) {
  const [choice, setChoice] = useState('never');
  const [custom, setCustom] = useState('');
  const chosen = describeExpiry(choice, custom);
  return (
    <>
      <SelectField
        label="Expires"
        name="expiry"
        value={choice}
        onChange={(event) => setChoice(event.target.value)}
        hint={choice === 'custom' ? 'After this time, requests with the key are rejected.' : chosen}
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
          min={toDateTimeInput(new Date())}
          max="9999-12-31T23:59"
          onChange={(event) => setCustom(event.target.value)}
          hint={chosen}
          problem={problem}
        />
      ) : null}
    </>
  );
}
