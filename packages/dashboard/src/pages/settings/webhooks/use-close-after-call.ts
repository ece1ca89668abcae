import { useEffect, useRef } from 'react';

/**
 * Closes a dialog when its call has succeeded, unless the user has left it with Back meanwhile: that would close the
 * dialog that is open by then, which may show a secret.
 */
export function useCloseAfterCall(onClose: () => void): () => void {
  const isOpen = useRef(true);
  useEffect(() => {
    isOpen.current = true;
    return () => {
      isOpen.current = false;
    };
  }, []);
  return () => {
    if (isOpen.current) onClose();
  };
}
