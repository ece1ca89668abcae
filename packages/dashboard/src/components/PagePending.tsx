import { Skeleton } from './Skeleton.tsx';

/** Placeholders for the heading and lead while the code of a page is loading. */
export function PagePending() {
  return (
    <div className="page-head">
      <div className="page-head__text">
        <h1 className="page-head__pending">
          <span className="visually-hidden" role="status">
            Loading
          </span>
          <Skeleton width="middle" />
        </h1>
        <p className="page-head__lead">
          <Skeleton width="long" />
        </p>
      </div>
    </div>
  );
}
