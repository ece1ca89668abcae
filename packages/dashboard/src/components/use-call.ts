import { useRef, useState } from 'react';

interface Options {
  /** Whether the call can be made again after a success. By default it stays busy, because its dialog closes. */
  repeatable?: boolean;
}

/** Runs a call, one at a time, and keeps its error. */
export function useCall(call: () => Promise<void>, { repeatable = false }: Options = {}) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  // State changes take effect only at the next render, and a second click may come before it.
  const sent = useRef(false);
  const end = () => {
    setBusy(false);
    sent.current = false;
  };
  const run = async () => {
    if (sent.current) return;
    sent.current = true;
    setBusy(true);
    setError(null);
    try {
      await call();
      if (repeatable) end();
    } catch (failure) {
      setError(failure);
      end();
    }
  };
  return { busy, error, run };
}
