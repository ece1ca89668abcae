import type { Key } from '@soku/contract/keys';
import { Link } from '@tanstack/react-router';
import { Pause, Pencil, Play, RefreshCw } from 'lucide-react';
import { ApiError } from '../../../../api/client.ts';
import { Button, buttonClass } from '../../../../components/Button.tsx';
import { KeyDrawing } from '../../../../components/KeyDrawing.tsx';
import { KeyBlank, PreviewText } from '../../../../components/KeyTeeth.tsx';
import { PageHead } from '../../../../components/PageHead.tsx';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { StatusBadge } from '../../../../components/StatusBadge.tsx';
import { usePanel } from '../../../../components/use-panel.ts';
import type { KeyTab } from '../../../search.ts';
import { describeReason } from '../revoke-reasons.ts';

interface KeyHeadProps {
  apiKey: Key | undefined;
  tab: KeyTab;
  error: Error | null;
}

const tabTitles: Record<KeyTab, string> = {
  overview: 'API key',
  access: 'access of an API key',
  secrets: 'secrets of an API key',
  activity: 'activity of an API key',
};

/** The drawing of a key, its name and state, and what can be done with it. */
export function KeyHead(props: KeyHeadProps) {
  const { apiKey } = props;
  return (
    <div className="key-head">
      {apiKey ? <KeyDrawing preview={apiKey.preview} status={apiKey.status} /> : <KeyBlank />}
      <Heading {...props} />
    </div>
  );
}

/** Renders the same heading element before and after loading, because a new element would lose the focus. */
function Heading({ apiKey, tab, error }: KeyHeadProps) {
  if (apiKey) {
    return (
      <PageHead
        title={apiKey.name}
        isName
        tabTitle={`${apiKey.name}, ${tabTitles[tab]}`}
        badge={<StatusBadge status={apiKey.status} />}
        action={<KeyActions apiKey={apiKey} />}
      >
        <span className="key-head__lead" key="lead">
          <PreviewText preview={apiKey.preview} />
          <span>{leadOf(apiKey)}</span>
        </span>
      </PageHead>
    );
  }
  if (!error) {
    return (
      <PageHead title="API key" action={<div className="page-head__actions" />}>
        <Skeleton width="long" />
      </PageHead>
    );
  }
  const missing = isKeyNotFound(error);
  return (
    <PageHead
      title={missing ? 'Key not found' : 'This key could not be displayed'}
      action={
        <div className="page-head__actions">
          <Link to="/settings/api" className={buttonClass('secondary')}>
            All keys
          </Link>
        </div>
      }
    >
      {missing ? 'Check the URL for typos. The key may also belong to another workspace.' : null}
    </PageHead>
  );
}

/** Each fits on one line on a phone, so that nothing moves when the key has loaded. */
const leads: Record<Key['status'], string> = {
  active: 'Requests with this key are accepted.',
  disabled: 'Disabled. Requests are rejected with 403.',
  expired: 'Expired. Requests are rejected with 401.',
  revoked: 'Revoked. Requests are rejected with 401.',
};

function leadOf({ status, revokedReason }: Key): string {
  if (status !== 'revoked' || revokedReason === null) return leads[status];
  return `Revoked (${describeReason(revokedReason).toLowerCase()}). Requests are rejected with 401.`;
}

/** Whether there is no key with the ID in the address. */
export function isKeyNotFound(error: Error): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 400);
}

function KeyActions({ apiKey: { status, disabledAt } }: { apiKey: Key }) {
  const { openPanel } = usePanel();
  const isDisabled = disabledAt !== null;
  return (
    <div className="page-head__actions">
      <Button icon={Pencil} onClick={() => openPanel('rename')}>
        Rename
      </Button>
      {status === 'revoked' ? null : (
        <>
          <Button icon={isDisabled ? Play : Pause} onClick={() => openPanel('disable')}>
            {isDisabled ? 'Enable' : 'Disable'}
          </Button>
          {status === 'expired' ? null : (
            <Button icon={RefreshCw} onClick={() => openPanel('rotate')}>
              Rotate
            </Button>
          )}
          <Button variant="secondary-danger" onClick={() => openPanel('revoke')}>
            Revoke key
          </Button>
        </>
      )}
    </div>
  );
}
