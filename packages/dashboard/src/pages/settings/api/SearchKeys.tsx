import { Link, useNavigate, useRouter } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { ListFilter } from '../../../api/keys.ts';
import { Kbd } from '../../../components/Kbd.tsx';
import { useSingleKeyShortcut } from '../../../components/shortcuts.ts';
import { fingerprintNote, maxSearchLength, useKeyDetection } from '../../../components/use-key-detection.ts';
import { hashFromAddress } from '../../../session/clean-address.ts';

/** Milliseconds. */
const debounce = 250;

const listPath = '/settings/api';

/**
 * The text of the field. Typing updates the URL after a pause, and Back restores the previous text. The list stays open
 * while another page loads, and a late search must not pull the user back from that page.
 */
function useSearchText(q: string) {
  const navigate = useNavigate({ from: listPath });
  const router = useRouter();
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
      // The field then shows again what the list shows, in case the user goes back before the page has loaded.
      if (router.latestLocation.pathname !== listPath) return setText(sent.current);
      sent.current = query;
      void navigate({
        search: ({ q: _q, hash: _hash, ...search }) => (query === '' ? search : { ...search, q: query }),
        replace: true,
        resetScroll: false,
      });
    }, debounce);
    return () => clearTimeout(timer);
  }, [text, navigate, router]);

  const searchHash = (hash: string) => {
    if (router.latestLocation.pathname !== listPath) return;
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

const sha256 = /^\s*[0-9a-f]{64}\s*$/i;

/** The URL contains the search. A key is never part of it: it is replaced with its hash. */
export function SearchKeys({ filter: { q, hash }, found }: SearchKeysProps) {
  const { text, setText, searchHash } = useSearchText(q);
  // Scans and other reports of leaked keys name the SHA-256 of a key.
  const search = (input: string) =>
    sha256.test(input) ? searchHash(input.trim().toLowerCase()) : setText(input);
  const { note, handlers } = useKeyDetection({ onText: search, onKey: searchHash });
  const shortcut = useSingleKeyShortcut('/');
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
          aria-keyshortcuts={shortcut}
          placeholder="Name, preview, ID or key"
          maxLength={maxSearchLength}
          autoCapitalize="off"
          autoComplete="off"
          spellCheck={false}
          value={text}
          {...handlers}
        />
        {shortcut && text === '' ? <Kbd>{shortcut}</Kbd> : null}
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

function hashNote(hash: string, found: number | undefined): string {
  if (hash === '' || found === undefined) return '';
  const result = fingerprintNote(found);
  if (hash !== hashFromAddress) return result;
  return `The URL of this page contained the key, and browsers and proxies store URLs: revoke it. ${result}`;
}
