import type { Key } from '@soku/contract/keys';
import { useEffect, useRef } from 'react';
import { focusRow } from '../use-after-revoke.ts';

/**
 * A key that was disabled or rotated is no longer a finding. When its row disappears with the button that had the focus,
 * the focus moves to the next row, or to the heading.
 *
 * @param open the key with an open dialog
 */
export function useFocusAfterAction(keys: readonly Key[], open: string | undefined): void {
  const last = useRef<{ id: string; next: string | undefined } | null>(null);
  useEffect(() => {
    const index = keys.findIndex(({ id }) => id === open);
    if (open !== undefined && index >= 0)
      last.current = { id: open, next: (keys[index + 1] ?? keys[index - 1])?.id };
    if (open !== undefined) return;
    const done = last.current;
    if (done === null || keys.some(({ id }) => id === done.id)) return;
    last.current = null;
    if (document.activeElement === document.body) focusRow(done.next);
  }, [keys, open]);
}
