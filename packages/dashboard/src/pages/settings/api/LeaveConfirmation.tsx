import { Button } from '../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../components/Dialog.tsx';

interface LeaveConfirmationProps {
  what: 'key' | 'secret';
  /** What to do about one that was not copied. */
  remedy: string;
  onStay: () => void;
  onLeave: () => void;
}

export function LeaveConfirmation({ what, remedy, onStay, onLeave }: LeaveConfirmationProps) {
  return (
    <Dialog title="Close without copying?" role="alertdialog" onCloseRequest={onStay}>
      <p>{`You have not copied this ${what}, and it will not be shown again. ${remedy}`}</p>
      <DialogActions>
        <Button variant="quiet-danger" onClick={onLeave}>
          Close without copying
        </Button>
        <Button variant="primary" data-autofocus onClick={onStay}>
          {`Back to the ${what}`}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
