import { Eye, EyeOff } from 'lucide-react';
import { type ComponentPropsWithRef, type ReactNode, useId, useState } from 'react';
import { ProblemText } from './Field.tsx';

interface PasswordFieldProps extends ComponentPropsWithRef<'input'> {
  label: string;
  hint?: ReactNode;
  problem?: string | undefined;
}

export function PasswordField({ label, hint, problem, ...input }: PasswordFieldProps) {
  const id = useId();
  const [shown, setShown] = useState(false);
  const Icon = shown ? EyeOff : Eye;
  return (
    <div className="field">
      <label className="field__label" htmlFor={id}>
        {label}
      </label>
      <div className="field__with-button">
        <input
          {...input}
          id={id}
          type={shown ? 'text' : 'password'}
          className="control"
          required
          spellCheck={false}
          autoCapitalize="none"
          aria-invalid={problem ? true : undefined}
          aria-describedby={`${id}-notes`}
        />
        <button
          type="button"
          className="field__button"
          aria-label={`${shown ? 'Hide' : 'Show'} ${label.toLowerCase()}`}
          aria-pressed={shown}
          onClick={() => setShown(!shown)}
        >
          <Icon size={16} aria-hidden />
        </button>
      </div>
      <div id={`${id}-notes`} className="field__notes">
        {problem ? <ProblemText text={problem} /> : null}
        {hint ? <p className="field__hint">{hint}</p> : null}
      </div>
    </div>
  );
}
