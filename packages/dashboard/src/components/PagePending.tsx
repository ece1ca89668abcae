import { Skeleton } from './Skeleton.tsx';

/** Placeholders for the heading and lead while the code of a page is loading. */
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
