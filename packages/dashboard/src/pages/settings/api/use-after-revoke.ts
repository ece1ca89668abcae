import type { Key } from '@soku/contract/keys';
import type { RevokedKey } from '@soku/contract/revocations';
import { useEffect, useRef } from 'react';
import { formatNumber } from '../../../components/format-number.ts';
import { announce } from '../../../components/Toast.tsx';

/** @param revocation from the response; undefined if someone else had already revoked the key */
export type OnRevoked = (key: Key, revocation: RevokedKey['revocation'] | undefined) => void;

/** What is announced when a dialog has closed, and the key whose row then gets the focus, or the heading if none has. */
interface Afterwards {
  message: string;
  /** The name of the key that the message is about. */
  about?: string;
  next?: string | undefined;
}

/** Moves the focus to the row of a key, or to the heading if there is none. */
export function focusRow(id: string | undefined): void {
  const row = id ? document.querySelector<HTMLElement>(`[data-key="${id}"]`) : null;
  (row ?? document.querySelector<HTMLElement>('h1'))?.focus();
}

/** Screen readers ignore live regions behind a modal dialog, so the result is announced after the dialog has closed. */
export function useAfterPanel(panel: string | undefined): (afterwards: Afterwards) => void {
  const waiting = useRef<Afterwards | null>(null);
  useEffect(() => {
    if (panel !== undefined || waiting.current === null) return;
    const { message, about, next } = waiting.current;
    waiting.current = null;
    announce(message, about);
    focusRow(next);
  }, [panel]);
  return (afterwards) => {
    waiting.current = afterwards;
  };
}

/** After a revoke, the row that had the focus disappears, so the focus moves to the next row or to the heading. */
export function useAfterRevoke(rows: Key[], panel: string | undefined): OnRevoked {
  const afterPanel = useAfterPanel(panel);
  return (key, revocation) => {
    const index = rows.findIndex((row) => row.id === key.id);
    const next = rows.slice(index + 1).find((row) => row.status !== 'revoked') ?? rows[index - 1];
    afterPanel({ message: resultText(revocation), about: key.name, next: next?.id });
  };
}

/** Another revoke may still wait for a server, so only the response to this call proves that none accepts the key. */
function resultText(revocation: RevokedKey['revocation'] | undefined): string {
  if (revocation === undefined) return 'Already revoked.';
  const { nodes, waitedMs, descendants } = revocation;
  const measured = nodes === 1 ? '' : ` (${nodes} servers, ${formatNumber(waitedMs)} ms)`;
  if (descendants === 0) return `Revoked. No server accepts it anymore${measured}.`;
  const others = descendants === 1 ? '1 descendant' : `${formatNumber(descendants)} descendants`;
  return `Revoked, along with ${others}. No server accepts them anymore${measured}.`;
}
