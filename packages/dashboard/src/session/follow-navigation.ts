import type { makeRouter } from '../router.tsx';

/**
 * A page change moves the focus to the new heading, so that a screen reader announces the page and Tab goes on
 * from its top. A new page starts at its top; Back leaves the scroll position to the browser.
 */
export function followNavigation(router: ReturnType<typeof makeRouter>): void {
  let lastAction = '';
  router.history.subscribe(({ action }) => {
    lastAction = action.type;
  });
  router.subscribe('onRendered', ({ fromLocation, toLocation, pathChanged }) => {
    if (!fromLocation || !pathChanged || toLocation.hash !== '') return;
    document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
    if (lastAction === 'PUSH' || lastAction === 'REPLACE') window.scrollTo(0, 0);
  });
}
