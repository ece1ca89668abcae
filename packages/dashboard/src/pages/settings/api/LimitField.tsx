import type { RateLimit } from '@soku/contract/rate-limits';
import { useState } from 'react';
import { SelectField, TextField } from '../../../components/Field.tsx';
import { type LimitChoice, toLimitChoice } from './limit.ts';

interface LimitFieldProps {
  label: string;
  /** The label of the limit that applies by default, such as "Workspace default (1,000)". */
  inherited: string;
  value: RateLimit | null;
  problem: string | undefined;
}

const choices: LimitChoice[] = ['inherited', 'own', 'off'];

const hints: Record<LimitChoice, string> = {
  inherited: 'Requests over the limit are rejected with 429 Too Many Requests.',
  own: 'Requests over the limit are rejected with 429 Too Many Requests.',
  off: 'Nothing slows down a runaway program, or someone who finds the key.',
};

/** Two form fields: `limit` is the choice, and `requests` the number if the choice is a custom limit. */
export function LimitField({ label, inherited, value, problem }: LimitFieldProps) {
  const [choice, setChoice] = useState<LimitChoice>(toLimitChoice(value));
  return (
    <>
      <SelectField
        label={label}
        name="limit"
        value={choice}
        onChange={(event) => setChoice(choices.find((each) => each === event.target.value) ?? 'inherited')}
        hint={hints[choice]}
      >
        <option value="inherited">{inherited}</option>
        <option value="own">Custom limit…</option>
        <option value="off">No limit</option>
      </SelectField>
      {choice === 'own' ? (
        <TextField
          label="Requests per minute"
          name="requests"
          inputMode="numeric"
          autoComplete="off"
          defaultValue={typeof value === 'number' ? String(value) : ''}
          placeholder="1000"
          problem={problem}
        />
      ) : null}
    </>
  );
}
