import type { Key, RevokedKey } from '@soku/contract/keys';
import { useEffect, useRef } from 'react';
import { announce } from '../../../components/Toast.tsx';

/** @param revocation what the server said; undefined when somebody else had revoked the key before */
export type OnRevoked = (key: Key, revocation: RevokedKey['revocation'] | undefined) => void;

/**
 * After a revoke the row goes away and the focus with it. It moves to the next row, or to the heading; and what
 * happened is said only when the dialog is gone, because behind a modal dialog no live region is heard.
 */
export function useAfterRevoke(rows: Key[], panel: string | undefined): OnRevoked {
  const revoked = useRef<{ message: string; next: string | undefined } | null>(null);

  useEffect(() => {
    if (panel !== undefined || revoked.current === null) return;
    const { message, next } = revoked.current;
    revoked.current = null;
    announce(message);
    const row = next ? document.querySelector<HTMLElement>(`[data-revoke="${next}"]`) : null;
    (row ?? document.querySelector<HTMLElement>('h1'))?.focus();
  }, [panel]);

  return (key, revocation) => {
    const index = rows.findIndex((row) => row.id === key.id);
    const next = rows.slice(index + 1).find((row) => row.status !== 'revoked') ?? rows[index - 1];
    revoked.current = { message: `"${key.name}": ${inWords(revocation)}`, next: next?.id };
  };
}

/** Whoever revoked it may still wait for a server, so only the answer to one's own call says that none accepts it. */
function inWords(revocation: RevokedKey['revocation'] | undefined): string {
  if (revocation === undefined) return 'It was revoked already.';
  const { nodes, waitedMs, descendants } = revocation;
  const measured = nodes === 1 ? '' : ` (${nodes} servers, ${waitedMs.toLocaleString('en')} ms)`;
  if (descendants === 0) return `Revoked. No server accepts it any more${measured}.`;
  const others = descendants === 1 ? '1 key' : `${descendants.toLocaleString('en')} keys`;
  return `Revoked with ${others} that it created. No server accepts them any more${measured}.`;
}
