import '../components/Gate.css';
import { type ErrorComponentProps, useRouter } from '@tanstack/react-router';
import { ApiError } from '../api/client.ts';
import { Button } from '../components/Button.tsx';
import { PageHead } from '../components/PageHead.tsx';

/** A page that could not be shown. The navigation around it stays. */
export function ErrorPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const again = async () => {
    await router.invalidate();
    reset();
  };
  return (
    <div className="lone">
      <PageHead title="This page could not be shown">
        {error instanceof ApiError
          ? error.message
          : 'Something failed in this page, or a newer version of it was installed. Loading it again usually helps.'}
      </PageHead>
      <p className="lone__actions">
        <Button look="primary" onClick={again}>
          Try again
        </Button>
        <Button onClick={() => window.location.reload()}>Reload the page</Button>
      </p>
      {error instanceof ApiError && error.requestId ? (
        <p className="lone__id">
          Request <code translate="no">{error.requestId}</code>
        </p>
      ) : null}
    </div>
  );
}
