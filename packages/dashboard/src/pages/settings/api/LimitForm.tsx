import type { RateLimit } from '@soku/contract/rate-limits';
import { type FormEvent, useState } from 'react';
import { Button } from '../../../components/Button.tsx';
import { DialogActions } from '../../../components/Dialog.tsx';
import type { Elements } from '../../../components/elements.ts';
import { Failure } from '../../../components/Notice.tsx';
import { withSignIn } from '../../../session/sign-in-again.ts';
import { LimitField } from './LimitField.tsx';
import { readLimit } from './limit.ts';

interface LimitFormProps {
  label: string;
  inherited: string;
  value: RateLimit | null;
  save: (limit: RateLimit | null) => Promise<void>;
  onClose: () => void;
  children?: Elements;
}

/** The form in both dialogs: the limit of one key, and that of every key without one. */
export function LimitForm({ label, inherited, value, save, onClose, children }: LimitFormProps) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [failure, setFailure] = useState<unknown>(null);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const form = event.currentTarget;
    const fields = new FormData(form);
    const read = readLimit(String(fields.get('limit')), String(fields.get('requests') ?? ''));
    setProblem(read.problem);
    setFailure(null);
    if (read.problem !== undefined) {
      form.querySelector<HTMLElement>('[name="requests"]')?.focus();
      return;
    }
    setBusy(true);
    try {
      await withSignIn(() => save(read.limit));
      onClose();
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };

  return (
    <form className="form" onSubmit={submit} onInput={() => setProblem(undefined)} noValidate ref={focusOnce}>
      <LimitField label={label} inherited={inherited} value={value} problem={problem} />
      {children}
      <Failure error={failure} />
      <DialogActions>
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" type="submit" busy={busy}>
          Save limit
        </Button>
      </DialogActions>
    </form>
  );
}

/** The form may come after its dialog was opened, so it takes the focus by itself. */
function focusOnce(form: HTMLFormElement | null): void {
  requestAnimationFrame(() => form?.querySelector<HTMLElement>('[name="limit"]')?.focus());
}
