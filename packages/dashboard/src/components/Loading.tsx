import { Failure } from './Notice.tsx';
import { Skeleton } from './Skeleton.tsx';

/** In place of a form until its data is loaded: a placeholder, or why it could not be loaded. */
export function Loading({ error }: { error: Error | null }) {
  return error ? <Failure error={error} /> : <Skeleton width="full" />;
}
