import { Download } from 'lucide-react';
import { useState } from 'react';
import { type AuditView, exportUrl, hasEntries, isFiltered } from '../../../api/audit.ts';
import { Button } from '../../../components/Button.tsx';
import { Failure } from '../../../components/Notice.tsx';
import { announce } from '../../../components/Toast.tsx';
import { withSignIn } from '../../../session/sign-in-again.ts';

/** Downloads the filtered entries as JSON Lines. The browser streams them to disk. */
export function ExportButton({ view }: { view: AuditView }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const start = async () => {
    setBusy(true);
    setError(null);
    try {
      // A failed download can neither report why nor ask for a sign-in, so a small request runs first.
      if (await withSignIn(() => hasEntries(view))) download(exportUrl(view));
      else announce('Nothing to export: no entries match the filters.');
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
  // The server provides the file name.
  link.download = '';
  link.click();
}
