import { OnDemand, useOnDemandOrThrow } from '../../../components/on-demand.ts';

/** The dialogs. The list does not need them. */
const panels = new OnDemand(async () => (await import('./KeyPanels.tsx')).KeyPanels);

export const preloadKeyPanels = panels.preload;

/** The dialogs, or null until their code is loaded. */
export const useKeyPanels = (needed: boolean) => useOnDemandOrThrow(panels, needed);
