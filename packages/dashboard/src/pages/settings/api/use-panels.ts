import { useEffect, useState } from 'react';

type Panels = typeof import('./KeyPanels.tsx').KeyPanels;

let panels: Panels | null = null;

async function loadPanels(): Promise<void> {
  panels = (await import('./KeyPanels.tsx')).KeyPanels;
}

/** The dialogs come when somebody is about to open one: the list needs none of their code. */
export function preparePanels(): void {
  // Whoever then opens one sees why it does not come.
  loadPanels().catch(() => undefined);
}

/**
 * The dialogs, or null until their code is here. In place of React.lazy, which shows nothing for 300 ms after its first
 * fallback, even when the code was here before.
 */
export function usePanels(wanted: boolean): Panels | null {
  const [, setLoaded] = useState(false);
  const [failure, setFailure] = useState<Error | null>(null);
  useEffect(() => {
    if (wanted && panels === null) loadPanels().then(() => setLoaded(true), setFailure);
  }, [wanted]);
  if (failure) throw failure;
  return panels;
}
