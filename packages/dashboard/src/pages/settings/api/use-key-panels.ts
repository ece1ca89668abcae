import { useState } from 'react';
import { OnDemand, useOnDemand } from '../../../components/on-demand.ts';

/** The dialogs. The list does not need them. */
const panels = new OnDemand(async () => (await import('./KeyPanels.tsx')).KeyPanels);

export const preloadKeyPanels = panels.preload;

/** The dialogs, or null until their code is loaded. */
export function useKeyPanels(enabled: boolean): typeof panels.loaded {
  const [failure, setFailure] = useState<Error | null>(null);
  const KeyPanels = useOnDemand(panels, enabled, setFailure);
  if (failure) throw failure;
  return KeyPanels;
}
