import type { Key } from '@soku/contract/keys';
import type { RateLimit } from '@soku/contract/rate-limits';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Pencil } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { changeKey, updateCachedKey } from '../../../../api/keys.ts';
import { defaultLimitOf, workspaceOptions } from '../../../../api/workspace.ts';
import { Button } from '../../../../components/Button.tsx';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { capitalize } from '../../../../components/sentence.ts';
import { announce } from '../../../../components/Toast.tsx';
import { usePanel } from '../../../../components/use-panel.ts';
import { LimitForm } from '../LimitForm.tsx';
import { formatLimit, inheritedLimitLabel } from '../limit.ts';
import { Fact } from './Fact.tsx';

/** The rate limit of a key, edited in place. */
export function LimitFact({ apiKey, isEditing }: { apiKey: Key; isEditing: boolean }) {
  const { openPanel, closePanel } = usePanel();
  const { data: workspace } = useQuery(workspaceOptions);
  const inherited = workspace && defaultLimitOf(workspace);
  const editButton = useReturnedFocus(isEditing);
  const canEdit = apiKey.status !== 'revoked';

  return (
    <Fact name="Rate limit">
      {isEditing && canEdit ? (
        <EditLimit apiKey={apiKey} inherited={inherited} onClose={closePanel} />
      ) : (
        <span className="fact__with-button">
          <Limit limit={apiKey.rateLimit} inherited={inherited} />
          {canEdit ? (
            <Button variant="quiet" icon={Pencil} ref={editButton} onClick={() => openPanel('limit')}>
              Edit limit
            </Button>
          ) : null}
        </span>
      )}
    </Fact>
  );
}

interface LimitProps {
  limit: RateLimit | null;
  inherited: RateLimit | undefined;
}

function Limit({ limit, inherited }: LimitProps) {
  if (limit !== null) return <span key="own">{capitalize(formatLimit(limit))}</span>;
  return (
    <span key="inherited" className="fact__inherited">
      {inherited ? (
        <span key="limit">
          <span>{capitalize(formatLimit(inherited))}</span>
          <span className="fact__more"> (workspace default)</span>
        </span>
      ) : (
        <Skeleton key="loading" width="long" />
      )}
    </span>
  );
}

interface EditLimitProps {
  apiKey: Key;
  inherited: RateLimit | undefined;
  onClose: () => void;
}

function EditLimit({ apiKey, inherited, onClose }: EditLimitProps) {
  const client = useQueryClient();
  return (
    <div className="fact__form">
      <LimitForm
        label="Rate limit"
        inherited={inheritedLimitLabel('Workspace default', inherited)}
        value={apiKey.rateLimit}
        save={async (rateLimit) => {
          const changed = await changeKey(apiKey.id, { rateLimit });
          updateCachedKey(client, changed);
          announce(`"${changed.name}": ${changeMessage(changed, inherited)}`);
        }}
        onClose={onClose}
        inRow
      />
    </div>
  );
}

function changeMessage({ rateLimit }: Key, inherited: RateLimit | undefined): string {
  const limit = rateLimit ?? inherited;
  return limit ? `${formatLimit(limit)}, starting with the next request.` : 'the workspace default applies.';
}

/** The focus returns to the button when the form that it opened is closed. */
function useReturnedFocus(isOpen: boolean) {
  const button = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(isOpen);
  useEffect(() => {
    if (wasOpen.current && !isOpen) button.current?.focus();
    wasOpen.current = isOpen;
  }, [isOpen]);
  return button;
}
