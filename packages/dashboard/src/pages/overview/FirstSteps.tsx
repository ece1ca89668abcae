import '../../components/Card.css';
import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { buttonClass } from '../../components/Button.tsx';
import { CodeTabs } from '../../components/Code.tsx';
import type { Elements } from '../../components/elements.ts';
import { callSnippets } from '../../components/snippets.ts';

export function FirstSteps({ origin }: { origin: string }) {
  return (
    <ol className="card steps">
      <Step number={1} title="Make a key">
        <p>
          Name it after the program that will use it. It is shown once, so have the place ready where it goes.
        </p>
        <Link
          to="/settings/api"
          search={{ panel: 'generate' }}
          className={buttonClass('primary', 'steps__action')}
        >
          <Plus size={16} aria-hidden />
          <span>Make your first key</span>
        </Link>
      </Step>
      <Step number={2} title="Call the API with it">
        <p>
          Put the key into the environment variable <code translate="no">SOKU_API_KEY</code>, then ask who you
          are:
        </p>
        <CodeTabs label="First call" snippets={callSnippets(origin)} />
      </Step>
      <Step number={3} title="Know what to do when it leaks">
        <p>
          Revoking a key takes two clicks and holds from that moment on.{' '}
          <Link to="/help/api-key-management" hash="leak">
            What to do about a leak
          </Link>
          , <Link to="/help/authentication">how requests are authenticated</Link>, and{' '}
          <Link to="/help/api-troubleshooting">why one was refused</Link>.
        </p>
      </Step>
    </ol>
  );
}

function Step({ number, title, children }: { number: number; title: string; children: Elements }) {
  return (
    <li className="steps__step">
      <span className="steps__number" aria-hidden>
        {number}
      </span>
      <div className="steps__body">
        <h2>{title}</h2>
        {children}
      </div>
    </li>
  );
}
