import { Button } from './Button.tsx';
import { Failure } from './Notice.tsx';

/** Replaces a list that could not be loaded. */
export function LoadFailed({ error, onRetry }: { error: unknown; onRetry: () => unknown }) {
  return (
    <Failure error={error}>
      <p>
        <Button onClick={onRetry}>Try again</Button>
      </p>
    </Failure>
  );
}
