import { decodePercent, mayContainKey } from '@soku/key';
import { type ChangeEvent, type ClipboardEvent, type DragEvent, useState } from 'react';
import { useKeyPrefixes } from '../api/session.ts';

/** Maximum number of characters of a search, as in the API. */
export const maxSearchLength = 100;

const checkFailed =
  'Part of this page did not load. Your search was not sent, because it may contain a key. Reload the page.';

interface Handlers {
  /** Text to show in the field and to search for. It contains no key. */
  onText: (text: string) => void;
  /** @param hash SHA-256 of the key in the text, in hexadecimal */
  onKey: (hash: string) => void;
}

/**
 * Lets a search field find a key by the key itself. The key is replaced with its hash before it reaches the field, the
 * state or a request.
 *
 * @returns `note`: what happened to the text, if it was changed; `handlers`: for the field, which is controlled
 */
export function useKeyDetection({ onText, onKey }: Handlers) {
  const prefixes = useKeyPrefixes();
  const [note, setNote] = useState('');

  const show = (text: string) => {
    setNote('');
    onText(text);
  };

  const read = async (input: string) => {
    const { parseSearchInput } = await import('../api/search-input.ts');
    const found = parseSearchInput(input, prefixes);
    // The same text that the field itself would have accepted.
    if (found.kind === 'text') return show(input.replaceAll(/[\r\n]/g, '').slice(0, maxSearchLength));
    if (found.kind === 'damaged') {
      setNote(
        `That key is incomplete or mistyped, so it was not sent. Searching for ${found.start} instead.`,
      );
      return onText(found.start);
    }
    setNote(found.more === 0 ? '' : `The text contains ${found.more + 1} keys. This is the first one.`);
    onKey(found.hash);
  };

  /**
   * Few searches are long enough to contain a key, so the code that finds keys is loaded with the first one that is.
   * Until it has checked the text, the text is not put in the field, because the browser's Undo could restore it.
   *
   * @returns whether the text may contain a key
   */
  const takeKey = (input: string): boolean => {
    if (!mayContainKey(decodePercent(input))) return false;
    read(input).catch(() => setNote(checkFailed));
    return true;
  };
  const takeInserted = (
    event: ClipboardEvent<HTMLInputElement> | DragEvent<HTMLInputElement>,
    text: string,
  ) => {
    if (takeKey(inserted(event.currentTarget, text))) event.preventDefault();
  };

  return {
    note,
    handlers: {
      onPaste: (event: ClipboardEvent<HTMLInputElement>) =>
        takeInserted(event, event.clipboardData.getData('text/plain')),
      onDrop: (event: DragEvent<HTMLInputElement>) =>
        takeInserted(event, event.dataTransfer.getData('text/plain')),
      onChange: (event: ChangeEvent<HTMLInputElement>) => {
        if (!takeKey(event.target.value)) show(event.target.value);
      },
    },
  };
}

/** The text of the field after the insertion. */
function inserted({ value, selectionStart, selectionEnd }: HTMLInputElement, text: string): string {
  return value.slice(0, selectionStart ?? 0) + text + value.slice(selectionEnd ?? value.length);
}

/** @param found the number of keys with the hash */
export function fingerprintNote(found: number): string {
  return `${found === 0 ? 'Searched' : 'Found'} by its fingerprint; the key itself was not sent.`;
}
