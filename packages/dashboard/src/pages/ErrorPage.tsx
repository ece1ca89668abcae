import '../components/CenteredMessage.css';
import { type ErrorComponentProps, useRouter } from '@tanstack/react-router';
import { ApiError } from '../api/client.ts';
import { Button } from '../components/Button.tsx';
import { PageHead } from '../components/PageHead.tsx';

/** Replaces a page that failed. The navigation around it stays. */
export function ErrorPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = async () => {
    await router.invalidate();
    reset();
  };
  return (
    <div className="centered">
      <PageHead title="This page could not be displayed">
        {error instanceof ApiError
          ? error.message
          : 'An error occurred on this page, or a newer version was installed. Reloading the page usually helps.'}
      </PageHead>
      <p className="centered__actions">
        <Button variant="primary" onClick={retry}>
          Try again
        </Button>
        <Button onClick={() => window.location.reload()}>Reload the page</Button>
      </p>
      {error instanceof ApiError && error.requestId ? (
        <p className="centered__id">
          Request ID <code translate="no">{error.requestId}</code>
        </p>
      ) : null}
    </div>
  );
}
