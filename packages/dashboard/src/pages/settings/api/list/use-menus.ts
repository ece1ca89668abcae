import { useState } from 'react';
import { OnDemand, useOnDemand } from '../../../../components/on-demand.ts';

/** The menus of the list. Most visits open none. */
const menus = new OnDemand(() => import('./menus.tsx'));

export const preloadMenus = menus.preload;

/** The menus, or null until their code is loaded. */
export function useMenus(needed: boolean): typeof menus.loaded {
  const [failure, setFailure] = useState<Error | null>(null);
  const loaded = useOnDemand(menus, needed, setFailure);
  if (failure) throw failure;
  return loaded;
}
