import { OnDemand, useOnDemandOrThrow } from '../../../../components/on-demand.ts';

/** The menus of the list. Most visits open none. */
const menus = new OnDemand(() => import('./menus.tsx'));

export const preloadMenus = menus.preload;

/** The menus, or null until their code is loaded. */
export const useMenus = (needed: boolean) => useOnDemandOrThrow(menus, needed);
