import { useCallback, useEffect, useMemo, useRef } from 'react';

/** The key that the reader pasted for "Try it". */
export interface PastedKey {
  /** For the field, which is not controlled: React would also write the value into an attribute of the page. */
  attach: (field: HTMLInputElement | null) => void;
  /** Takes the key from the field. */
  take: () => void;
  read: () => string;
  clear: () => void;
}

/**
 * Holds the pasted key for all operations of the page, in a ref, so that no state, cache or previous render has a copy.
 * It is cleared when the reader leaves, even if the browser keeps the page for Back.
 */
export function usePastedKey(): PastedKey {
  const key = useRef('');
  const field = useRef<HTMLInputElement>(null);

  const clear = useCallback(() => {
    key.current = '';
    if (field.current) field.current.value = '';
  }, []);

  useEffect(() => {
    window.addEventListener('pagehide', clear);
    return () => {
      window.removeEventListener('pagehide', clear);
      clear();
    };
  }, [clear]);

  return useMemo(
    () => ({
      attach: (element) => {
        // A field that is removed may stay in memory for a while.
        if (element === null && field.current) field.current.value = '';
        field.current = element;
        if (element) element.value = key.current;
      },
      take: () => {
        key.current = field.current?.value.trim() ?? '';
      },
      read: () => key.current,
      clear,
    }),
    [clear],
  );
}
