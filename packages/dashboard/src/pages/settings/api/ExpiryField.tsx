import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { workspaceOptions } from '../../../api/workspace.ts';
import { SelectField, TextField } from '../../../components/Field.tsx';
import { Skeleton } from '../../../components/Skeleton.tsx';
import { describeExpiry, offeredLifetimes, toDateTimeInput } from './expiry.ts';

interface ExpiryFieldProps {
  /** When the key expires now; null: never, or it is a new key. */
  current: string | null;
  problem: string | undefined;
}

/** Two form fields: `expiry` is the choice, and `expiresAt` the time if the choice is a custom time. */
export function ExpiryField(props: ExpiryFieldProps) {
  const { data: workspace, isPending } = useQuery(workspaceOptions);
  if (isPending) return <Skeleton width="full" />;
  return (
    <Choice
      {...props}
      maxDays={workspace?.maxKeyLifetimeDays ?? null}
      required={workspace?.requireKeyExpiry ?? false}
    />
  );
}

interface ChoiceProps extends ExpiryFieldProps {
  /** The maximum lifetime of keys of the workspace; null: none. */
  maxDays: number | null;
  /** Whether its keys must expire. */
  required: boolean;
}

function Choice({ current, maxDays, required, problem }: ChoiceProps) {
  const lifetimes = offeredLifetimes(maxDays, required);
  const start = current === null ? '' : toDateTimeInput(new Date(current));
  const [choice, setChoice] = useState(current === null ? lifetimes[0].value : 'custom');
  const [custom, setCustom] = useState(start);
  const chosen = describeExpiry(choice, custom);
  const isCustom = choice === 'custom';
  return (
    <>
      <SelectField
        label="Expires"
        name="expiry"
        value={choice}
        onChange={(event) => setChoice(event.target.value)}
        hint={isCustom ? 'After this time, requests with the key are rejected.' : chosen}
        problem={isCustom ? undefined : problem}
      >
        {lifetimes.map(({ value, name }) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </SelectField>
      {isCustom ? (
        <TextField
          label="Date and time"
          type="datetime-local"
          name="expiresAt"
          defaultValue={start}
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
