import type { RateLimit } from '@soku/contract/rate-limits';
import { useState } from 'react';
import { SelectField, TextField } from '../../../components/Field.tsx';
import { choiceOf, type LimitChoice } from './limit.ts';

interface LimitFieldProps {
  label: string;
  /** What holds when there is no number of one's own, such as "Workspace's default (1,000)". */
  inherited: string;
  value: RateLimit | null;
  problem: string | undefined;
}

const choices: LimitChoice[] = ['inherited', 'own', 'off'];

const hints: Record<LimitChoice, string> = {
  inherited: 'Requests beyond it are answered 429 Too Many Requests.',
  own: 'Requests beyond it are answered 429 Too Many Requests.',
  off: 'Nothing slows down a program that runs wild, or whoever finds the key.',
};

/** Two fields of a form: `limit`, what was chosen, and `requests`, the number when there is one. */
export function LimitField({ label, inherited, value, problem }: LimitFieldProps) {
  const [choice, setChoice] = useState<LimitChoice>(choiceOf(value));
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
        <option value="own">Another number…</option>
        <option value="off">No limit</option>
      </SelectField>
      {choice === 'own' ? (
        <TextField
          label="Number of requests a minute"
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
