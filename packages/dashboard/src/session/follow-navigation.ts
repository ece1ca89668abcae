import type { createAppRouter } from '../router.tsx';

/**
 * Moves the focus to the heading of a new page, so that a screen reader announces the page and Tab continues from its
 * top. A new page starts at its top; after Back, the browser restores the scroll position.
 */
export function followNavigation(router: ReturnType<typeof createAppRouter>): void {
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
