import './Gate.css';
import type { ReactNode } from 'react';
import type { Elements } from './elements.ts';
import { Logo } from './Logo.tsx';
import { OfflineBanner } from './OfflineBanner.tsx';
import { usePageTitle } from './PageHead.tsx';

interface GateProps {
  title: string;
  lead: ReactNode;
  children: Elements;
  foot?: Elements;
}

/** The page layout of login and setup. */
export function Gate({ title, lead, children, foot }: GateProps) {
  usePageTitle(title);
  return (
    <main className="gate" id="content" tabIndex={-1}>
      <OfflineBanner />
      <div className="gate__panel">
        <Logo size={36} />
        <h1 className="gate__title" tabIndex={-1}>
          {title}
        </h1>
        <p className="gate__lead">{lead}</p>
        {children}
        {foot ? <div className="gate__foot">{foot}</div> : null}
      </div>
    </main>
  );
}
