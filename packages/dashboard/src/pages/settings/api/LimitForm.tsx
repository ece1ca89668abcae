import type { RateLimit } from '@soku/contract/rate-limits';
import type { KeyboardEvent, ReactNode } from 'react';
import { Button } from '../../../components/Button.tsx';
import { DialogActions } from '../../../components/Dialog.tsx';
import type { Elements } from '../../../components/elements.ts';
import { Failure } from '../../../components/Notice.tsx';
import { InvalidFields, useSubmit } from '../../../components/use-submit.ts';
import { withSignIn } from '../../../session/sign-in-again.ts';
import { LimitField } from './LimitField.tsx';
import { parseLimit } from './limit.ts';

interface LimitFormProps {
  label: string;
  inherited: string;
  value: RateLimit | null;
  save: (limit: RateLimit | null) => Promise<void>;
  onClose: () => void;
  /** The form is in a row of the page instead of a dialog. */
  inRow?: boolean;
  children?: Elements;
}

/** The form of the limit of one key, and of the default of the workspace. */
export function LimitForm({
  label,
  inherited,
  value,
  save,
  onClose,
  inRow = false,
  children,
}: LimitFormProps) {
  const { busy, problems, failure, submit, clear } = useSubmit(async (fields) => {
    const read = parseLimit(String(fields.get('limit')), String(fields.get('requests') ?? ''));
    if (read.problem !== undefined) throw new InvalidFields({ requests: read.problem });
    await withSignIn(() => save(read.limit));
    onClose();
  });

  const cancel = ({ key }: KeyboardEvent) => {
    if (key === 'Escape') onClose();
  };
  const Actions = inRow ? RowActions : DialogActions;
  return (
    <form
      className="form"
      onSubmit={submit}
      onChange={clear}
      onKeyDown={inRow ? cancel : undefined}
      noValidate
      ref={focusOnce}
    >
      <LimitField label={label} inherited={inherited} value={value} problem={problems.requests} />
      {children}
      <Failure error={failure} />
      <Actions>
        <Button onClick={onClose}>Cancel</Button>
        <Button variant="primary" type="submit" busy={busy}>
          Save limit
        </Button>
      </Actions>
    </form>
  );
}

function RowActions({ children }: { children: ReactNode }) {
  return <div className="fact__actions">{children}</div>;
}

/** The form may be rendered after its dialog was opened, so it sets the focus itself. */
function focusOnce(form: HTMLFormElement | null): void {
  requestAnimationFrame(() => form?.querySelector<HTMLElement>('[name="limit"]')?.focus());
}
