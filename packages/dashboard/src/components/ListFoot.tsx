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
  /** Text that says how much of the list is shown. */
  size: string;
  /** Selector of the first focusable element in each row. */
  rows: string;
}

/** Says how much of the list is shown, and loads more. */
export function ListFoot({ list, shown, size, rows }: ListFootProps) {
  const before = useRef<number | null>(null);

  // The button disappears with the last page, so the focus moves to the first new row.
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
