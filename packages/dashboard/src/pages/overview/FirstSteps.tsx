import './FirstSteps.css';
import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { buttonClass } from '../../components/Button.tsx';
import { CodeTabs } from '../../components/Code.tsx';
import type { Elements } from '../../components/elements.ts';
import { KeyBlank } from '../../components/KeyTeeth.tsx';
import { callSnippets } from '../../components/snippets.ts';
import { protectionSnippets } from './protection-snippets.ts';

export function FirstSteps({ origin }: { origin: string }) {
  return (
    <div className="first-steps">
      <KeyBlank />
      <ol className="steps">
        <Step number={1} title="Create a key">
          <p>
            Name it after the program that will use it. The key is shown only once, so be ready to store it.
          </p>
          <Link
            to="/settings/api"
            search={{ panel: 'generate' }}
            className={buttonClass('primary', 'steps__action')}
          >
            <Plus size={16} aria-hidden />
            <span>Create your first key</span>
          </Link>
        </Step>
        <Step number={2} title="Call the API">
          <p>
            Set the environment variable <code translate="no">SOKU_API_KEY</code> to the key, then check that
            it works:
          </p>
          <CodeTabs label="First call" snippets={callSnippets(origin)} />
        </Step>
        <Step number={3} title="Protect your API">
          <p>
            Soku checks the key of each request before it reaches your API: behind a proxy that you already
            run, in your own code, or as a gateway in front of it.{' '}
            <Link to="/help/protect-an-api">All ways to protect an API</Link>
          </p>
          <CodeTabs label="Protect your API" snippets={protectionSnippets(origin)} />
        </Step>
      </ol>
      <p className="first-steps__more">
        If a key leaks, revoke it: this takes effect immediately. Read more about{' '}
        <Link to="/help/api-key-management" hash="leak">
          leaked keys
        </Link>
        , <Link to="/help/authentication">authentication</Link> and{' '}
        <Link to="/help/api-troubleshooting">rejected requests</Link>.
      </p>
    </div>
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
