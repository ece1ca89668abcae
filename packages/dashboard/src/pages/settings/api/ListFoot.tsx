import { useEffect, useRef } from 'react';
import { Button } from '../../../components/Button.tsx';
import { Failure } from '../../../components/Notice.tsx';

interface ListFootProps {
  list: {
    error: unknown;
    data: unknown;
    hasNextPage: boolean;
    isFetchingNextPage: boolean;
    fetchNextPage: () => unknown;
  };
  shown: number;
  total: number | undefined;
}

/** How much of the list is shown, and the rest of it. */
export function ListFoot({ list, shown, total }: ListFootProps) {
  const before = useRef<number | null>(null);

  // After the last page the button goes away, and the focus with it: it goes on with the first row that is new.
  useEffect(() => {
    if (before.current === null || shown <= before.current) return;
    if (!list.hasNextPage) document.querySelectorAll<HTMLElement>('.keys__link')[before.current]?.focus();
    before.current = null;
  }, [shown, list.hasNextPage]);

  if (!list.data) return null;

  const loadMore = () => {
    before.current = shown;
    list.fetchNextPage();
  };

  return (
    <>
      <div className="list-foot">
        <p role="status">{shown > 0 ? sizeOf(shown, total ?? shown) : ''}</p>
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

function sizeOf(shown: number, total: number): string {
  const number = (value: number) => value.toLocaleString('en');
  if (shown < total) return `${number(shown)} of ${number(total)} keys`;
  return total === 1 ? '1 key' : `${number(total)} keys`;
}
