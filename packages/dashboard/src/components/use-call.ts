import { useRef, useState } from 'react';

/**
 * Runs a call of a dialog, one at a time, and keeps its error. After a success it stays busy, because the dialog closes.
 */
export function useCall(call: () => Promise<void>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  // State changes take effect only at the next render, and a second click may come before it.
  const sent = useRef(false);
  const run = async () => {
    if (sent.current) return;
    sent.current = true;
    setBusy(true);
    setError(null);
    try {
      await call();
    } catch (failure) {
      setError(failure);
      setBusy(false);
      sent.current = false;
    }
  };
  return { busy, error, run };
}
