import { useEffect } from 'react';
import { flushSync } from 'react-dom';
import { dropNewKey, useNewKey } from './new-key.ts';

/** Shows the new key if the dialog that shows it, or the whole page, has failed. It is rendered outside both. */
export function RescuedKey() {
  const { created, inDialog, RescueDialog } = useNewKey();
  useDropOnPageHide();
  return created && RescueDialog && !inDialog ? <RescueDialog /> : null;
}

/** Otherwise, a page that the browser restores from its back/forward cache would show the key again. */
function useDropOnPageHide(): void {
  useEffect(() => {
    const drop = () => flushSync(dropNewKey);
    window.addEventListener('pagehide', drop);
    return () => window.removeEventListener('pagehide', drop);
  }, []);
}
