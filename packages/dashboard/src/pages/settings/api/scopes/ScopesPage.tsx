import './ScopesPage.css';
import type { CatalogScope } from '@soku/contract/scope-catalog';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { scopeCatalogOptions } from '../../../../api/scopes.ts';
import { Button, buttonClass } from '../../../../components/Button.tsx';
import { LoadFailed } from '../../../../components/LoadFailed.tsx';
import { PageHead } from '../../../../components/PageHead.tsx';
import { Section } from '../../../../components/Section.tsx';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import { usePanel } from '../../../../components/use-panel.ts';
import { Breadcrumbs } from '../../Breadcrumbs.tsx';
import { useAfterPanel } from '../use-after-revoke.ts';
import { RemoveScopeDialog } from './RemoveScopeDialog.tsx';
import { ScopeDialog } from './ScopeDialog.tsx';
import { ScopesIntroduction } from './ScopesIntroduction.tsx';

const route = getRouteApi('/shell/signed-in/settings/api/scopes');

export function ScopesPage() {
  const { data: scopes, error, isLoadingError, refetch } = useQuery(scopeCatalogOptions);
  const { openPanel } = usePanel();
  const own = scopes?.filter(({ builtIn }) => !builtIn);
  return (
    <>
      <Breadcrumbs page="Scopes" />
      <PageHead
        title="Scopes"
        action={
          <Button variant="primary" icon={Plus} onClick={() => openPanel('add')}>
            Add scope
          </Button>
        }
      >
        <span>
          What the keys of this workspace can be allowed to do in your API.{' '}
          <Link to="/help/authentication" hash="scopes">
            How built-in scopes work
          </Link>
        </span>
      </PageHead>
      {isLoadingError ? <LoadFailed error={error} onRetry={refetch} /> : null}
      {isLoadingError ? null : <OwnScopes scopes={own} />}
      {scopes ? <BuiltInScopes scopes={scopes.filter(({ builtIn }) => builtIn)} /> : null}
      {own ? <Panel scopes={own} /> : null}
    </>
  );
}

function OwnScopes({ scopes }: { scopes: CatalogScope[] | undefined }) {
  if (scopes?.length === 0) return <ScopesIntroduction />;
  return (
    <Section title="Scopes of your API">
      {scopes ? (
        <ul className="scope-list" aria-label="Scopes of your API">
          {scopes.map((scope) => (
            <OwnScope key={scope.name} scope={scope} />
          ))}
        </ul>
      ) : (
        <Pending />
      )}
    </Section>
  );
}

function OwnScope({ scope: { name, description } }: { scope: CatalogScope }) {
  const { openPanel } = usePanel();
  return (
    <li className="scope-list__row">
      <code className="scope-list__name" translate="no">
        {name}
      </code>
      <p className="scope-list__text">{description === '' ? 'No description' : description}</p>
      <div className="scope-list__actions">
        <Link className={buttonClass('quiet')} to="/settings/api" search={{ scope: name }}>
          <span>Keys</span>
          <span className="visually-hidden">{` with the scope ${name}`}</span>
        </Link>
        <Button variant="quiet" onClick={() => openPanel('edit', name)} aria-label={`Edit ${name}`}>
          Edit
        </Button>
        <Button
          variant="quiet-danger"
          onClick={() => openPanel('remove', name)}
          aria-label={`Remove ${name}`}
        >
          Remove
        </Button>
      </div>
    </li>
  );
}

function BuiltInScopes({ scopes }: { scopes: CatalogScope[] }) {
  return (
    <Section
      title="Built-in scopes"
      lead="For programs that manage or verify keys, or read the audit log. Most keys need none. Wildcards do not cover them."
    >
      <ul className="scope-list" aria-label="Built-in scopes">
        {scopes.map(({ name, description }) => (
          <li className="scope-list__row" key={name}>
            <code className="scope-list__name" translate="no">
              {name}
            </code>
            <p className="scope-list__text">{description}</p>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** The dialog that the URL names, if any. */
function Panel({ scopes }: { scopes: CatalogScope[] }) {
  const { panel, key: name } = route.useSearch();
  const { closePanel } = usePanel();
  const afterPanel = useAfterPanel(panel);
  const scope = scopes.find((each) => each.name === name);
  if (panel === 'add') return <ScopeDialog scopes={scopes} onClose={closePanel} />;
  if (panel === 'edit' && scope) return <ScopeDialog scopes={scopes} scope={scope} onClose={closePanel} />;
  if (panel !== 'remove' || !scope) return null;
  return (
    <RemoveScopeDialog
      name={scope.name}
      onClose={closePanel}
      onRemoved={(message) => {
        afterPanel({ message });
        closePanel();
      }}
    />
  );
}

const placeholders = ['a', 'b', 'c'];

function Pending() {
  return (
    <div>
      <p className="visually-hidden" role="status">
        Loading scopes
      </p>
      <ul className="scope-list" aria-hidden>
        {placeholders.map((row) => (
          <li className="scope-list__row" key={row}>
            <Skeleton width="middle" />
            <Skeleton width="long" />
          </li>
        ))}
      </ul>
    </div>
  );
}
