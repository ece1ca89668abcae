import { Button } from './Button.tsx';
import { DialogActions } from './Dialog.tsx';
import { Failure } from './Notice.tsx';

interface FormActionsProps {
  /** The error of the last attempt, if it failed. */
  failure: unknown;
  busy: boolean;
  onCancel: () => void;
  /** What the form does, such as `Save`. */
  submit: string;
}

/** The end of a form in a dialog: why it failed, and its two buttons. */
export function FormActions({ failure, busy, onCancel, submit }: FormActionsProps) {
  return (
    <>
      <Failure error={failure} />
      <DialogActions>
        <Button onClick={onCancel}>Cancel</Button>
        <Button variant="primary" type="submit" busy={busy}>
          {submit}
        </Button>
      </DialogActions>
    </>
  );
}
