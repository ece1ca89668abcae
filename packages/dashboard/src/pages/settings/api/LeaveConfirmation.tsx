import { Button } from '../../../components/Button.tsx';
import { Dialog, DialogActions } from '../../../components/Dialog.tsx';

export function LeaveConfirmation({ onStay, onLeave }: { onStay: () => void; onLeave: () => void }) {
  return (
    <Dialog title="Close without copying?" role="alertdialog" onCloseRequest={onStay}>
      <p>
        You have not copied this key, and it will not be shown again. If you close now, you will have to
        revoke it and create another one.
      </p>
      <DialogActions>
        <Button variant="quiet-danger" onClick={onLeave}>
          Close without copying
        </Button>
        <Button variant="primary" data-autofocus onClick={onStay}>
          Back to the key
        </Button>
      </DialogActions>
    </Dialog>
  );
}
