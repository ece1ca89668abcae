import './ListFoot.css';
import { useEffect, useRef } from 'react';
import { Button } from './Button.tsx';
import { Failure } from './Notice.tsx';

interface ListFootProps {
  list: {
    error: unknown;
    data: unknown;
    hasNextPage: boolean;
    isFetchingNextPage: boolean;
    fetchNextPage: () => unknown;
  };
  shown: number;
  /** A sentence on how much of the list is shown. */
  size: string;
  /** Finds what a keyboard reaches first in each row. */
  rows: string;
}

/** How much of the list is shown, and the rest of it. */
export function ListFoot({ list, shown, size, rows }: ListFootProps) {
  const before = useRef<number | null>(null);

  // After the last page the button goes away, and the focus with it: it goes on with the first row that is new.
  useEffect(() => {
    if (before.current === null || shown <= before.current) return;
    if (!list.hasNextPage) document.querySelectorAll<HTMLElement>(rows)[before.current]?.focus();
    before.current = null;
  }, [shown, list.hasNextPage, rows]);

  if (!list.data) return null;

  const loadMore = () => {
    before.current = shown;
    list.fetchNextPage();
  };

  return (
    <>
      <div className="list-foot">
        <p role="status" className={shown === 0 ? 'visually-hidden' : undefined}>
          {size}
        </p>
        {list.hasNextPage ? (
          <Button busy={list.isFetchingNextPage} onClick={loadMore}>
            Load more
          </Button>
        ) : null}
      </div>
      <Failure error={list.error} />
    </>
  );
}
