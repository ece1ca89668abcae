import './ListControls.css';
import type { KeyList, StatusFilter } from '@soku/server/key-schemas';
import { Link, useNavigate } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { ListFilter } from '../../../api/keys.ts';

const statuses: Array<{ status: StatusFilter; word: string }> = [
  { status: 'active', word: 'Active' },
  { status: 'revoked', word: 'Revoked' },
  { status: 'expired', word: 'Expired' },
  { status: 'all', word: 'All' },
];

export function ListControls({ filter, counts }: { filter: ListFilter; counts: KeyList['counts'] }) {
  return (
    <div className="list-controls">
      <nav className="filter" aria-label="Status">
        {statuses.map(({ status, word }) => (
          <Link
            key={status}
            from="/settings/api"
            to="."
            search={(search) => ({
              ...(search.q ? { q: search.q } : {}),
              ...(status === 'active' ? {} : { status }),
            })}
            className={`filter__choice ${filter.status === status ? 'filter__choice--current' : ''}`}
            activeOptions={{ exact: true, includeSearch: true }}
            resetScroll={false}
          >
            <span>{word}</span>
            <span className="filter__count">{counts ? counts[status].toLocaleString('en') : ''}</span>
          </Link>
        ))}
      </nav>
      <SearchKeys q={filter.q} />
    </div>
  );
}

const pause = 250;

/** The URL holds the search; typing reaches it after a pause, and Back brings the earlier one. */
function SearchKeys({ q }: { q: string }) {
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
        search: ({ q: _q, ...search }) => (wanted === '' ? search : { ...search, q: wanted }),
        replace: true,
        resetScroll: false,
      });
    }, pause);
    return () => clearTimeout(timer);
  }, [text, navigate]);

  return (
    <div className="search">
      <Search size={16} aria-hidden />
      <input
        type="search"
        className="control"
        aria-label="Search keys"
        placeholder="Search by name"
        maxLength={100}
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </div>
  );
}
