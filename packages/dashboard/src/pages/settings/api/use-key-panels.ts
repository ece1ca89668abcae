import { useEffect, useState } from 'react';

type Panels = typeof import('./KeyPanels.tsx').KeyPanels;

let panels: Panels | null = null;

async function loadPanels(): Promise<void> {
  panels = (await import('./KeyPanels.tsx')).KeyPanels;
}

/** Loads the code of the dialogs when the user is about to open one, because the list does not need it. */
export function preloadKeyPanels(): void {
  // A failure is reported when a dialog is opened.
  loadPanels().catch(() => undefined);
}

/**
 * The dialogs, or null until their code is loaded. Replaces React.lazy, which shows nothing for 300 ms after its first
 * fallback, even if the code is already loaded.
 */
export function useKeyPanels(enabled: boolean): Panels | null {
  const [, setLoaded] = useState(false);
  const [failure, setFailure] = useState<Error | null>(null);
  useEffect(() => {
    if (enabled && panels === null) loadPanels().then(() => setLoaded(true), setFailure);
  }, [enabled]);
  if (failure) throw failure;
  return panels;
}
