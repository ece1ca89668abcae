import './TroubleshootingPage.css';
import { errorCodes } from '@soku/contract/error-codes';
import { useRouterState } from '@tanstack/react-router';
import { useMemo } from 'react';
import { usePublicUrl, useSession } from '../../api/session.ts';
import { CheckKey } from './CheckKey.tsx';
import { codesByStatus, ErrorEntry } from './ErrorEntry.tsx';
import { HelpPage, HelpSection } from './HelpPage.tsx';

export function TroubleshootingPage() {
  const session = useSession();
  const groups = useMemo(codesByStatus, []);
  const target = useRouterState({ select: (state) => state.location.hash });
  const origin = usePublicUrl();
  return (
    <HelpPage
      title="API troubleshooting"
      lead="Every API error has a code. Look up the code of your error, or check your key here."
    >
      <HelpSection id="check" title="Check your key">
        <CheckKey prefix={session?.keyPrefix ?? 'sk_live_'} />
      </HelpSection>
      <HelpSection id="codes" title={`All ${Object.keys(errorCodes).length} error codes`}>
        <nav aria-label="Error codes" className="code-index">
          {groups.map(({ status, codes }) => (
            <div className="code-index__group" key={status}>
              <span className="code-index__status">{status}</span>
              <ul>
                {codes.map((code) => (
                  <li key={code}>
                    <a href={`#${code}`}>{code}</a>
                  </li>
                ))}
              </ul>
            </div>
          ))}
        </nav>
      </HelpSection>
      {groups.map(({ status, name, codes }) => (
        <HelpSection id={`status-${status}`} title={`${status} ${name}`} key={status}>
          {codes.map((code) => (
            <ErrorEntry key={code} code={code} origin={origin} isTarget={code === target} />
          ))}
        </HelpSection>
      ))}
    </HelpPage>
  );
}
