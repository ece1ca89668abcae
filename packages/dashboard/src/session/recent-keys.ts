/**
 * The keys that were opened last, newest first, for each account and workspace in this browser. The storage contains
 * only their ids, which are not secret; names and previews come from the API. Signing out removes them.
 */
import { keyIdSchema } from '@soku/contract/keys';
import { useCallback, useEffect, useMemo } from 'react';
import { z } from 'zod';
import { useSession } from '../api/session.ts';
import { readStored, removeStored, useStored, writeStored } from '../components/stored.ts';

const maxKeys = 5;
const prefix = 'soku.recent.';

const idsSchema = z.array(keyIdSchema).catch([]);

function parseIds(text: string | null): string[] {
  try {
    return idsSchema.parse(JSON.parse(text ?? '[]')).slice(0, maxKeys);
  } catch {
    return [];
  }
}

/** The name in the storage; '' without a session. */
function useStorageName(): string {
  const session = useSession();
  if (!session?.user || !session.workspace) return '';
  return `${prefix}${session.user.id}.${session.workspace.id}`;
}

export function useRecentKeyIds(): string[] {
  const text = useStored(useStorageName());
  return useMemo(() => parseIds(text), [text]);
}

/** Puts a key at the top of the list once it is shown. */
export function useRecordOpenedKey(id: string | undefined): void {
  const name = useStorageName();
  useEffect(() => {
    if (name === '' || id === undefined) return;
    const others = parseIds(readStored(name)).filter((other) => other !== id);
    writeStored(name, JSON.stringify([id, ...others].slice(0, maxKeys)));
  }, [name, id]);
}

/** Returns a function that removes a key that does not exist. */
export function useDropRecentKey(): (id: string) => void {
  const name = useStorageName();
  return useCallback(
    (id) => {
      const others = parseIds(readStored(name)).filter((other) => other !== id);
      writeStored(name, JSON.stringify(others));
    },
    [name],
  );
}

export function clearRecentKeys(): void {
  removeStored(prefix);
}
