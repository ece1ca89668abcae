import { Button } from '../../../components/Button.tsx';
import { Failure } from '../../../components/Notice.tsx';

interface ListFootProps {
  list: {
    error: unknown;
    data: unknown;
    hasNextPage: boolean;
    isFetchingNextPage: boolean;
    fetchNextPage: () => Promise<{ hasNextPage: boolean }>;
  };
  shown: number;
  total: number | undefined;
}

/** How much of the list is shown, and the rest of it. */
export function ListFoot({ list, shown, total }: ListFootProps) {
  if (!list.data) return null;

  const loadMore = async () => {
    const { hasNextPage } = await list.fetchNextPage();
    // The button has gone, and the focus with it: it goes on with the first row that is new.
    if (!hasNextPage) document.querySelectorAll<HTMLElement>('.keys__link')[shown]?.focus();
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
