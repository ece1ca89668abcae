import type { Key } from '@soku/server/key-schemas';
import { useEffect, useRef } from 'react';
import { announce } from '../../../components/Toast.tsx';

/**
 * After a revoke the row goes away and the focus with it. It moves to the next row, or to the heading; and what
 * happened is said only when the dialog is gone, because behind a modal dialog no live region is heard.
 */
export function useAfterRevoke(rows: Key[], panel: string | undefined): (key: Key) => void {
  const revoked = useRef<{ name: string; next: string | undefined } | null>(null);

  useEffect(() => {
    if (panel !== undefined || revoked.current === null) return;
    const { name, next } = revoked.current;
    revoked.current = null;
    announce(`“${name}”: Revoked. No server accepts it any more.`);
    const row = next ? document.querySelector<HTMLElement>(`[data-revoke="${next}"]`) : null;
    (row ?? document.querySelector<HTMLElement>('h1'))?.focus();
  }, [panel]);

  return (key) => {
    const index = rows.findIndex((row) => row.id === key.id);
    const next = rows.slice(index + 1).find((row) => row.status !== 'revoked') ?? rows[index - 1];
    revoked.current = { name: key.name, next: next?.id };
  };
}
