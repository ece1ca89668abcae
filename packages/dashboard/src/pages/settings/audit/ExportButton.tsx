import { Download } from 'lucide-react';
import { useState } from 'react';
import { type AuditView, exportAddress, hasEntries, isFiltered } from '../../../api/audit.ts';
import { Button } from '../../../components/Button.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { announce } from '../../../components/Toast.tsx';
import { withSignIn } from '../../../session/sign-in-again.ts';

/** Downloads what the filters let through, as JSON Lines. The browser writes it to the disk as it comes. */
export function ExportButton({ view }: { view: AuditView }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const start = async () => {
    setBusy(true);
    setError(null);
    try {
      // A download that fails cannot say why, nor ask for a sign-in, so a small call goes first.
      if (await withSignIn(() => hasEntries(view))) download(exportAddress(view));
      else announce('There is nothing to export: no entry matches the filters.');
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };

  return (
    <div className="audit-export">
      <Button icon={Download} busy={busy} onClick={start}>
        {isFiltered(view) ? 'Export these entries' : 'Export'}
      </Button>
      <Failure error={error} />
    </div>
  );
}

function download(address: string): void {
  const link = document.createElement('a');
  link.href = address;
  // The server names the file.
  link.download = '';
  link.click();
}
