import '../components/Gate.css';
import { Link } from '@tanstack/react-router';
import { buttonClass } from '../components/Button.tsx';
import { PageHead } from '../components/PageHead.tsx';

export function NotFoundPage() {
  return (
    <div className="lone">
      <PageHead title="There is no such page">
        The address may be mistyped, or what it led to is gone. Nothing else is wrong.
      </PageHead>
      <p className="lone__actions">
        <Link to="/" className={buttonClass('primary')}>
          Go to the overview
        </Link>
        <Link to="/help/api-troubleshooting" className={buttonClass('secondary')}>
          Help with an API answer
        </Link>
      </p>
    </div>
  );
}
