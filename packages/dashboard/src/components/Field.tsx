import './Field.css';
import { ChevronDown, TriangleAlert } from 'lucide-react';
import { type ComponentPropsWithRef, type ReactNode, useId } from 'react';
import type { Elements } from './elements.ts';

export interface FieldProps {
  label: string;
  hint?: ReactNode;
  problem?: string | undefined;
}

/** A control with its label above it, and what is wrong with it below. */
export function FieldFrame(props: FieldProps & { id: string; children: Elements }) {
  const { id, label, hint, problem, children } = props;
  return (
    <div className="field">
      <label className="field__label" htmlFor={id}>
        {label}
      </label>
      {children}
      {problem ? <ProblemText id={`${id}-problem`} text={problem} /> : null}
      {hint ? (
        <p className="field__hint" id={`${id}-hint`}>
          {hint}
        </p>
      ) : null}
    </div>
  );
}

export function ProblemText({ id, text }: { id?: string; text: string }) {
  return (
    <p className="field__problem" id={id}>
      <TriangleAlert size={16} aria-hidden />
      <span>{text}</span>
    </p>
  );
}

/** The ids of the texts that describe a control. */
export function describedBy(
  id: string,
  { hint, problem }: Pick<FieldProps, 'hint' | 'problem'>,
): string | undefined {
  const ids = [problem ? `${id}-problem` : '', hint ? `${id}-hint` : ''].filter((part) => part !== '');
  return ids.length === 0 ? undefined : ids.join(' ');
}

export function TextField({ label, hint, problem, ...input }: FieldProps & ComponentPropsWithRef<'input'>) {
  const id = useId();
  return (
    <FieldFrame id={id} label={label} hint={hint} problem={problem}>
      <input
        type="text"
        {...input}
        id={id}
        className={`control ${input.className ?? ''}`}
        aria-invalid={problem ? true : undefined}
        aria-describedby={describedBy(id, { hint, problem })}
      />
    </FieldFrame>
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
    <FieldFrame id={id} label={label} hint={hint} problem={problem}>
      <span className="field__select">
        <select
          {...select}
          id={id}
          className="control control--select"
          aria-invalid={problem ? true : undefined}
          aria-describedby={describedBy(id, { hint, problem })}
        />
        <ChevronDown size={16} aria-hidden />
      </span>
    </FieldFrame>
  );
}
