import { useEffect, useEffectEvent } from 'react';
import { flushSync } from 'react-dom';

/**
 * Otherwise, a page that the browser restores from its back/forward cache would show a secret again.
 *
 * @param drop removes the secret from the state; the page is rendered without it before it is hidden
 */
export function useDropOnPageHide(drop: () => void): void {
  const onHide = useEffectEvent(() => flushSync(drop));
  useEffect(() => {
    const hide = () => onHide();
    window.addEventListener('pagehide', hide);
    return () => window.removeEventListener('pagehide', hide);
  }, []);
}
