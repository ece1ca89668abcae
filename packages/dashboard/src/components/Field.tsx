import './Field.css';
import { type ComponentPropsWithRef, type ReactNode, useId } from 'react';
import type { Elements } from './elements.ts';

interface FieldProps {
  label: string;
  hint?: ReactNode;
  problem?: string | undefined;
}

function Frame({ id, label, hint, problem, children }: FieldProps & { id: string; children: Elements }) {
  return (
    <div className="field">
      <label className="field__label" htmlFor={id}>
        {label}
      </label>
      {children}
      {problem ? (
        <p className="field__problem" id={`${id}-problem`}>
          {problem}
        </p>
      ) : null}
      {hint ? (
        <p className="field__hint" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
    </div>
  );
}

function describedBy(
  id: string,
  { hint, problem }: Pick<FieldProps, 'hint' | 'problem'>,
): string | undefined {
  const ids = [problem ? `${id}-problem` : '', hint ? `${id}-hint` : ''].filter((part) => part !== '');
  return ids.length === 0 ? undefined : ids.join(' ');
}

export function TextField({ label, hint, problem, ...input }: FieldProps & ComponentPropsWithRef<'input'>) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} problem={problem}>
      <input
        type="text"
        {...input}
        id={id}
        className={`control ${input.className ?? ''}`}
        aria-invalid={problem ? true : undefined}
        aria-describedby={describedBy(id, { hint, problem })}
      />
    </Frame>
  );
}

export function SelectField({
  label,
  hint,
  problem,
  ...select
}: FieldProps & ComponentPropsWithRef<'select'>) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} problem={problem}>
      <select
        {...select}
        id={id}
        className="control control--select"
        aria-describedby={describedBy(id, { hint, problem })}
      />
    </Frame>
  );
}
