import { Link, useNavigate } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { type ClipboardEvent, type DragEvent, useEffect, useRef, useState } from 'react';
import type { ListFilter } from '../../../api/keys.ts';
import { readSearchInput } from '../../../api/search-input.ts';
import { useSession } from '../../../api/session.ts';
import { hashFromAddress } from '../../../session/clean-address.ts';

const pause = 250;
const defaultPrefixes = ['sk_live_'];

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

  /** @returns whether the text holds a key, which must not stay in the field then */
  const takeKey = (input: string): boolean => {
    const read = readSearchInput(input, prefixes);
    if (read.kind === 'text') return false;
    if (read.kind === 'damaged') {
      setNote(
        `That key is incomplete or mistyped, so it was not sent. Searching for its start, ${read.start}.`,
      );
      setText(read.start);
      return true;
    }
    setNote(read.more === 0 ? '' : `The text holds ${read.more + 1} keys. This is the first one.`);
    searchHash(read.hash);
    return true;
  };

  // Before the text gets into the field, from where the browser's Undo could bring it back.
  const onPaste = (event: ClipboardEvent) => {
    if (takeKey(event.clipboardData.getData('text/plain'))) event.preventDefault();
  };
  const onDrop = (event: DragEvent) => {
    if (takeKey(event.dataTransfer.getData('text/plain'))) event.preventDefault();
  };
  const onType = (input: string) => {
    if (takeKey(input)) return;
    setNote('');
    setText(input);
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
          maxLength={100}
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

function aboutHash(hash: string, found: number | undefined): string {
  if (hash === '' || found === undefined) return '';
  const said = `${found === 0 ? 'Searched' : 'Found'} by its fingerprint; the key itself was not sent.`;
  if (hash !== hashFromAddress) return said;
  return `The address of this page held the key, and browsers and proxies keep addresses: revoke it. ${said}`;
}
