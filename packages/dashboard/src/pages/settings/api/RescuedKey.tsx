import { useEffect } from 'react';
import { flushSync } from 'react-dom';
import { dropNewKey, useNewKey } from './new-key.ts';

/** Shows the new key when the dialog that did has failed, or the whole page. It stands above both. */
export function RescuedKey() {
  const { created, inDialog, RescueDialog } = useNewKey();
  useDropOnPageHide();
  return created && RescueDialog && !inDialog ? <RescueDialog /> : null;
}

/** A page that the browser keeps for Back and Forward would come back with the key on it. */
function useDropOnPageHide(): void {
  useEffect(() => {
    const drop = () => flushSync(dropNewKey);
    window.addEventListener('pagehide', drop);
    return () => window.removeEventListener('pagehide', drop);
  }, []);
}
