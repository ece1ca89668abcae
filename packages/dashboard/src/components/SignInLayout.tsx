import './SignInLayout.css';
import type { ReactNode } from 'react';
import { usePublicUrl } from '../api/session.ts';
import type { Elements } from './elements.ts';
import { HostDrawing } from './HostDrawing.tsx';
import { hostOf } from './host.ts';
import { Brand } from './Logo.tsx';
import { OfflineBanner } from './OfflineBanner.tsx';
import { usePageTitle } from './PageHead.tsx';

interface SignInLayoutProps {
  title: string;
  lead?: ReactNode;
  children: Elements;
  foot?: Elements;
}

/** The page layout of login and setup. It names the host, and the drawing differs for each host. */
export function SignInLayout({ title, lead, children, foot }: SignInLayoutProps) {
  usePageTitle(title);
  const host = hostOf(usePublicUrl());
  return (
    <div className="sign-in">
      <main className="sign-in__main" id="content" tabIndex={-1}>
        <OfflineBanner />
        <div className="sign-in__panel">
          <Brand />
          <div>
            <h1 tabIndex={-1}>{title}</h1>
            <p className="sign-in__host" translate="no">
              {host}
            </p>
          </div>
          {lead ? <p className="sign-in__lead">{lead}</p> : null}
          {children}
          {foot ? <div className="sign-in__foot">{foot}</div> : null}
        </div>
      </main>
      <HostDrawing host={host} />
    </div>
  );
}
