import { Button } from '../../../../components/Button.tsx';
import { DialogActions } from '../../../../components/Dialog.tsx';
import { Failure, Notice } from '../../../../components/Notice.tsx';
import { useCall } from '../../../../components/use-call.ts';

interface LostRotationProps {
  onRotateAgain: () => Promise<void>;
  onClose: () => void;
}

/** Shown if the connection broke after the server rotated the key: the new secret exists, but can never be shown. */
export function LostRotation({ onRotateAgain, onClose }: LostRotationProps) {
  const { busy, error, run } = useCall(onRotateAgain);
  return (
    <div className="form">
      <Notice tone="warn">
        <p>
          The key was rotated, but the response that contains its new secret was lost. That secret cannot be
          shown again.
        </p>
      </Notice>
      <p>Rotate again to get a new secret. The lost one, which no one has seen, is then retired.</p>
      <Failure error={error} />
      <DialogActions>
        <Button onClick={onClose}>Close without rotating</Button>
        <Button variant="primary" busy={busy} onClick={run}>
          Rotate again
        </Button>
      </DialogActions>
    </div>
  );
}
