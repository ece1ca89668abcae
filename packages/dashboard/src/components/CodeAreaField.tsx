import { type ComponentPropsWithRef, useId } from 'react';
import { describedBy, FieldFrame, type FieldProps } from './Field.tsx';

/** A field for several lines of code. */
export function CodeAreaField({
  label,
  hint,
  problem,
  ...area
}: FieldProps & ComponentPropsWithRef<'textarea'>) {
  const id = useId();
  return (
    <FieldFrame id={id} label={label} hint={hint} problem={problem}>
      <textarea
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        {...area}
        id={id}
        className="control control--mono"
        translate="no"
        aria-invalid={problem ? true : undefined}
        aria-describedby={describedBy(id, { hint, problem })}
      />
    </FieldFrame>
  );
}
