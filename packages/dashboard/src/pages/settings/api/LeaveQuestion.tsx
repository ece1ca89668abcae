import { Button } from '../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../components/Dialog.tsx';

export function LeaveQuestion({ onStay, onLeave }: { onStay: () => void; onLeave: () => void }) {
  return (
    <Dialog title="Close without copying?" role="alertdialog" onCloseRequest={onStay}>
      <p>
        You have not copied this key, and it is never shown again. Without it you would have to revoke it and
        make another.
      </p>
      <DialogActions>
        <Button look="quiet-danger" onClick={onLeave}>
          Close without copying
        </Button>
        <Button look="primary" data-autofocus onClick={onStay}>
          Back to the key
        </Button>
      </DialogActions>
    </Dialog>
  );
}
