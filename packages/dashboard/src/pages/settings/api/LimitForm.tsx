import type { RateLimit } from '@soku/contract/rate-limits';
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
  children?: Elements;
}

/** The form of the default limit of the workspace. */
export function LimitForm({ label, inherited, value, save, onClose, children }: LimitFormProps) {
  const { busy, problems, failure, submit, clear } = useSubmit(async (fields) => {
    const read = parseLimit(String(fields.get('limit')), String(fields.get('requests') ?? ''));
    if (read.problem !== undefined) throw new InvalidFields({ requests: read.problem });
    await withSignIn(() => save(read.limit));
    onClose();
  });

  return (
    <form className="form" onSubmit={submit} onChange={clear} noValidate ref={focusOnce}>
      <LimitField label={label} inherited={inherited} value={value} problem={problems.requests} />
      {children}
      <Failure error={failure} />
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button variant="primary" type="submit" busy={busy}>
          Save limit
        </Button>
      </DialogActions>
    </form>
  );
}

/** The form may be rendered after its dialog was opened, so it sets the focus itself. */
function focusOnce(form: HTMLFormElement | null): void {
  requestAnimationFrame(() => form?.querySelector<HTMLElement>('[name="limit"]')?.focus());
}
