import type { CatalogScope } from '@soku/contract/scope-catalog';
import { useQuery } from '@tanstack/react-query';
import { scopeCatalogOptions } from '../../../../api/scopes.ts';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { ScopePicker } from '../policy/ScopePicker.tsx';
import { describeGrant } from '../policy/scope-choice.ts';
import { EditableFact } from './EditableFact.tsx';
import { FactForm } from './FactForm.tsx';
import { appliedEverywhere, type FactProps } from './facts.ts';

export function ScopesFact({ apiKey, open, canEdit }: FactProps) {
  const { data: catalog, isPending } = useQuery(scopeCatalogOptions);
  // Waits for what can be chosen, so that the focus starts there.
  const form = isPending ? (
    <Skeleton width="long" />
  ) : (
    <FactForm
      apiKey={apiKey}
      field="scopes"
      what="scopes"
      read={(fields) => ({ scopes: fields.getAll('scope').map(String) })}
      describe={({ scopes }) => `${countScopes(scopes)}. ${appliedEverywhere}`}
    >
      {(problem) => <ScopePicker value={apiKey.scopes} problem={problem} />}
    </FactForm>
  );
  return (
    <EditableFact name="Scopes" what="scopes" panel="scopes" open={open} canEdit={canEdit} form={form}>
      {apiKey.scopes.length === 0 ? (
        <span key="none">
          None. The key is accepted only where no scope is required, and cannot manage keys.
        </span>
      ) : null}
      {apiKey.scopes.length > 0 ? <Grants key="grants" grants={apiKey.scopes} catalog={catalog} /> : null}
    </EditableFact>
  );
}

interface GrantsProps {
  grants: readonly string[];
  /** Undefined while loading. */
  catalog: CatalogScope[] | undefined;
}

function Grants({ grants, catalog }: GrantsProps) {
  return grants.map((grant) => (
    <span className="fact__pair" key={grant}>
      <code translate="no">{grant}</code> <span>{describeGrant(grant, catalog)}</span>
    </span>
  ));
}

function countScopes({ length }: readonly string[]): string {
  if (length === 0) return 'no scopes';
  return length === 1 ? '1 scope' : `${length} scopes`;
}
