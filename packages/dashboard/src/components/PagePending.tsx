import { Skeleton } from './Skeleton.tsx';

/** While the code of a page is on its way: a heading and a line, where they will be. */
export function PagePending() {
  return (
    <div className="page-head">
      <div className="page-head__text">
        <span className="visually-hidden" role="status">
          Loading
        </span>
        <p className="page-head__pending" aria-hidden>
          <Skeleton width="middle" />
        </p>
        <p className="page-head__lead">
          <Skeleton width="long" />
        </p>
      </div>
    </div>
  );
}
