import type { Key } from '@soku/contract/keys';
import type { RateLimit } from '@soku/contract/rate-limits';
import { useQuery } from '@tanstack/react-query';
import { defaultLimitOf, workspaceOptions } from '../../../../api/workspace.ts';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { capitalize } from '../../../../components/sentence.ts';
import { InvalidFields } from '../../../../components/use-submit.ts';
import { LimitField } from '../LimitField.tsx';
import { formatLimit, inheritedLimitLabel, parseLimit } from '../limit.ts';
import { EditableFact } from './EditableFact.tsx';
import { FactForm } from './FactForm.tsx';
import type { FactProps } from './facts.ts';

export function LimitFact({ apiKey, open, canEdit }: FactProps) {
  const { data: workspace } = useQuery(workspaceOptions);
  const inherited = workspace && defaultLimitOf(workspace);
  const form = (
    <FactForm
      apiKey={apiKey}
      field="rateLimit"
      what="limit"
      read={readLimit}
      describe={(changed) => changeMessage(changed, inherited)}
    >
      {(problem) => (
        <LimitField
          label="Rate limit"
          inherited={inheritedLimitLabel('Workspace default', inherited)}
          value={apiKey.rateLimit}
          problem={problem}
        />
      )}
    </FactForm>
  );
  return (
    <EditableFact name="Rate limit" what="limit" panel="limit" open={open} canEdit={canEdit} form={form}>
      <Limit limit={apiKey.rateLimit} inherited={inherited} />
    </EditableFact>
  );
}

function readLimit(fields: FormData) {
  const read = parseLimit(String(fields.get('limit')), String(fields.get('requests') ?? ''));
  if (read.problem !== undefined) throw new InvalidFields({ rateLimit: read.problem });
  return { rateLimit: read.limit };
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

function changeMessage({ rateLimit }: Key, inherited: RateLimit | undefined): string {
  const limit = rateLimit ?? inherited;
  return limit ? `${formatLimit(limit)}, starting with the next request.` : 'the workspace default applies.';
}
