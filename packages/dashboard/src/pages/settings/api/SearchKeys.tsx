import { decodePercent, mayContainKey } from '@soku/key';
import { Link, useNavigate } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { type ClipboardEvent, type DragEvent, useEffect, useRef, useState } from 'react';
import type { ListFilter } from '../../../api/keys.ts';
import { useSession } from '../../../api/session.ts';
import { hashFromAddress } from '../../../session/clean-address.ts';

/** Milliseconds. */
const debounce = 250;
const maxLength = 100;
const defaultPrefixes = ['sk_live_'];

const checkFailed =
  'Part of this page did not load. The text was not searched for, because it may contain a key. Reload the page.';

/** The text of the field. Typing updates the URL after a pause, and Back restores the previous text. */
function useSearchText(q: string) {
  const navigate = useNavigate({ from: '/settings/api' });
  const [text, setText] = useState(q);
  const sent = useRef(q);

  useEffect(() => {
    if (q === sent.current) return;
    sent.current = q;
    setText(q);
  }, [q]);

  useEffect(() => {
    const query = text.trim();
    if (query === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = query;
      void navigate({
        search: ({ q: _q, hash: _hash, ...search }) => (query === '' ? search : { ...search, q: query }),
        replace: true,
        resetScroll: false,
      });
    }, debounce);
    return () => clearTimeout(timer);
  }, [text, navigate]);

  const searchHash = (hash: string) => {
    sent.current = '';
    setText('');
    void navigate({ search: { hash }, replace: true, resetScroll: false });
  };
  return { text, setText, searchHash };
}

interface SearchKeysProps {
  filter: ListFilter;
  /** The number of keys that match the search; undefined while loading. */
  found: number | undefined;
}

/** The URL contains the search. A key is never part of it: it is replaced with its hash. */
export function SearchKeys({ filter: { q, hash }, found }: SearchKeysProps) {
  const prefixes = useSession()?.keyPrefixes ?? defaultPrefixes;
  const { text, setText, searchHash } = useSearchText(q);
  const [note, setNote] = useState('');

  const show = (input: string) => {
    setNote('');
    setText(input);
  };

  const read = async (input: string) => {
    const { parseSearchInput } = await import('../../../api/search-input.ts');
    const found = parseSearchInput(input, prefixes);
    // The same text that the field itself would have accepted.
    if (found.kind === 'text') return show(input.replaceAll(/[\r\n]/g, '').slice(0, maxLength));
    if (found.kind === 'damaged') {
      setNote(
        `That key is incomplete or mistyped, so it was not sent. Searching for ${found.start} instead.`,
      );
      return setText(found.start);
    }
    setNote(found.more === 0 ? '' : `The text contains ${found.more + 1} keys. This is the first one.`);
    searchHash(found.hash);
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
  const onPaste = (event: ClipboardEvent<HTMLInputElement>) => {
    if (takeKey(inserted(event.currentTarget, event.clipboardData.getData('text/plain'))))
      event.preventDefault();
  };
  const onDrop = (event: DragEvent<HTMLInputElement>) => {
    if (takeKey(inserted(event.currentTarget, event.dataTransfer.getData('text/plain'))))
      event.preventDefault();
  };
  const onType = (input: string) => {
    if (!takeKey(input)) show(input);
  };

  const status = `${hashNote(hash, found)} ${note}`.trim();

  return (
    <div className="search">
      <div className="search__field">
        <Search size={16} aria-hidden />
        <input
          type="search"
          className="control"
          aria-label="Search keys"
          aria-describedby="search-note"
          placeholder="Name, preview, ID or key"
          maxLength={maxLength}
          autoCapitalize="off"
          autoComplete="off"
          spellCheck={false}
          value={text}
          onPaste={onPaste}
          onDrop={onDrop}
          onChange={(event) => onType(event.target.value)}
        />
      </div>
      <p className="search__note" id="search-note" role="status">
        {status}
      </p>
      {hash === '' ? null : (
        <Link from="/settings/api" to="." search={{}} className="search__clear">
          Clear search
        </Link>
      )}
    </div>
  );
}

/** The text of the field after the insertion. */
function inserted({ value, selectionStart, selectionEnd }: HTMLInputElement, text: string): string {
  return value.slice(0, selectionStart ?? 0) + text + value.slice(selectionEnd ?? value.length);
}

function hashNote(hash: string, found: number | undefined): string {
  if (hash === '' || found === undefined) return '';
  const result = `${found === 0 ? 'Searched' : 'Found'} by its fingerprint; the key itself was not sent.`;
  if (hash !== hashFromAddress) return result;
  return `The page address contained this key, and browsers and proxies store addresses: revoke it. ${result}`;
}
