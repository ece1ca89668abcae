import { decodePercent, mayHoldKey } from '@soku/key';
import { Link, useNavigate } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { type ClipboardEvent, type DragEvent, useEffect, useRef, useState } from 'react';
import type { ListFilter } from '../../../api/keys.ts';
import { useSession } from '../../../api/session.ts';
import { hashFromAddress } from '../../../session/clean-address.ts';

const pause = 250;
const mostCharacters = 100;
const defaultPrefixes = ['sk_live_'];

const notRead =
  'A part of this page did not load, so that text was not searched for, as it may hold a key. Reload the page and try again.';

/** What the field shows. Typing reaches the URL after a pause, and Back brings the earlier text. */
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
    const wanted = text.trim();
    if (wanted === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = wanted;
      void navigate({
        search: ({ q: _q, hash: _hash, ...search }) => (wanted === '' ? search : { ...search, q: wanted }),
        replace: true,
        resetScroll: false,
      });
    }, pause);
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
  /** How many keys the search finds; undefined until that is known. */
  found: number | undefined;
}

/** The URL holds what is searched for. A key never gets there: its hash does. */
export function SearchKeys({ filter: { q, hash }, found }: SearchKeysProps) {
  const prefixes = useSession()?.keyPrefixes ?? defaultPrefixes;
  const { text, setText, searchHash } = useSearchText(q);
  const [note, setNote] = useState('');

  const show = (input: string) => {
    setNote('');
    setText(input);
  };

  const read = async (input: string) => {
    const { readSearchInput } = await import('../../../api/search-input.ts');
    const found = readSearchInput(input, prefixes);
    // As the field itself would have taken it.
    if (found.kind === 'text') return show(input.replaceAll(/[\r\n]/g, '').slice(0, mostCharacters));
    if (found.kind === 'damaged') {
      setNote(
        `That key is incomplete or mistyped, so it was not sent. Searching for its start, ${found.start}.`,
      );
      return setText(found.start);
    }
    setNote(found.more === 0 ? '' : `The text holds ${found.more + 1} keys. This is the first one.`);
    searchHash(found.hash);
  };

  /**
   * Few texts are long enough to hold a key, so the code that finds one loads with the first of them. Until it has read
   * the text, that is not in the field, from where the browser's Undo could bring it back.
   *
   * @returns whether the text may hold a key
   */
  const takeKey = (input: string): boolean => {
    if (!mayHoldKey(decodePercent(input))) return false;
    read(input).catch(() => setNote(notRead));
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

  const said = `${aboutHash(hash, found)} ${note}`.trim();

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
          maxLength={mostCharacters}
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
        {said}
      </p>
      {hash === '' ? null : (
        <Link from="/settings/api" to="." search={{}} className="search__clear">
          Clear the search
        </Link>
      )}
    </div>
  );
}

/** The text that would stand in the field. */
function inserted({ value, selectionStart, selectionEnd }: HTMLInputElement, text: string): string {
  return value.slice(0, selectionStart ?? 0) + text + value.slice(selectionEnd ?? value.length);
}

function aboutHash(hash: string, found: number | undefined): string {
  if (hash === '' || found === undefined) return '';
  const said = `${found === 0 ? 'Searched' : 'Found'} by its fingerprint; the key itself was not sent.`;
  if (hash !== hashFromAddress) return said;
  return `The address of this page held the key, and browsers and proxies keep addresses: revoke it. ${said}`;
}
