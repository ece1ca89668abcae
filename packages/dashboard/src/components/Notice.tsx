import './Notice.css';
import { CircleAlert, CircleCheck, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { ApiError } from '../api/client.ts';
import type { Elements } from './elements.ts';

const icons = { bad: CircleAlert, warn: TriangleAlert, good: CircleCheck };

interface NoticeProps {
  tone: keyof typeof icons;
  children: ReactNode;
}

export function Notice({ tone, children }: NoticeProps) {
  const Icon = icons[tone];
  return (
    <div className={`notice notice--${tone}`}>
      <Icon size={16} aria-hidden />
      <div className="notice__body">{children}</div>
    </div>
  );
}

/** Shows an error where it occurred, with the request id that the operator can search the log for. */
export function Failure({ error, children }: { error: unknown; children?: Elements }) {
  return (
    <div role="alert">
      {error ? (
        <Notice tone="bad">
          <p>{error instanceof Error ? error.message : 'Something went wrong on this page.'}</p>
          {error instanceof ApiError && error.requestId ? (
            <p className="notice__id">
              Request ID <code translate="no">{error.requestId}</code>
            </p>
          ) : null}
          {children}
        </Notice>
      ) : null}
    </div>
  );
}
