import '../components/CenteredMessage.css';
import { Link } from '@tanstack/react-router';
import { buttonClass } from '../components/Button.tsx';
import { PageHead } from '../components/PageHead.tsx';

export function NotFoundPage() {
  return (
    <div className="centered">
      <PageHead title="Page not found">
        Check the address for typos. The page may also have been removed.
      </PageHead>
      <p className="centered__actions">
        <Link to="/" className={buttonClass('primary')}>
          Go to overview
        </Link>
        <Link to="/help/api-troubleshooting" className={buttonClass('secondary')}>
          Troubleshoot an API error
        </Link>
      </p>
    </div>
  );
}
