import type { Key } from '@soku/contract/keys';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { foundKeysOptions } from '../../api/found-keys.ts';

/** Milliseconds. */
const debounce = 150;

export interface FoundKeys {
  keys: Key[];
  /** More keys match than the response contains. */
  hasMore: boolean;
  /** The keys are still those of an earlier text. */
  isPending: boolean;
  error: unknown;
  retry: () => void;
}

/**
 * Searches on the server after a pause in typing, and for the hash of a key immediately. Meanwhile it returns the
 * previous keys, so that the list does not flicker.
 */
export function useFoundKeys(text: string, hash: string): FoundKeys {
  const typed = text.trim();
  const q = useSettled(typed);
  const isSearching = hash !== '' || typed !== '';
  const { data, error, isPending, isPlaceholderData, refetch } = useQuery({
    ...foundKeysOptions(hash === '' ? { q } : { hash }),
    enabled: hash !== '' || (typed !== '' && q !== ''),
    placeholderData: keepPreviousData,
  });
  if (!isSearching) return { keys: [], hasMore: false, isPending: false, error: null, retry: refetch };
  return {
    keys: data?.data ?? [],
    hasMore: hash === '' && typeof data?.nextCursor === 'string',
    isPending: isPending || isPlaceholderData || (hash === '' && q !== typed),
    error,
    retry: refetch,
  };
}

/** The text after a pause in typing. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    if (text === settled) return;
    const timer = setTimeout(() => setSettled(text), debounce);
    return () => clearTimeout(timer);
  }, [text, settled]);
  return settled;
}
