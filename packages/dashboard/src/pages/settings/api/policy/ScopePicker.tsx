import './ScopePicker.css';
import { builtInScopeDescriptions, builtInScopeSchema, coversScope } from '@soku/contract/scopes';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { customScopes, scopeCatalogOptions } from '../../../../api/scopes.ts';
import { ProblemText } from '../../../../components/Field.tsx';
import { LoadFailed } from '../../../../components/LoadFailed.tsx';
import { Segments } from '../../../../components/Segments.tsx';
import { Skeleton } from '../../../../components/Skeleton.tsx';
import {
  choiceOf,
  isBuiltIn,
  type OfferedGrant,
  offeredGrants,
  readOnlyScopes,
  type ScopeChoice,
  withoutCovered,
} from './scope-choice.ts';

interface ScopePickerProps {
  /** The grants of the key. */
  value: readonly string[];
  problem: string | undefined;
}

/** Chooses the scopes of a key: form fields with the name `scope`. */
export function ScopePicker({ value, problem }: ScopePickerProps) {
  const { data: catalog, error, refetch } = useQuery(scopeCatalogOptions);
  if (error && !catalog) return <LoadFailed error={error} onRetry={refetch} />;
  if (!catalog) return <Skeleton width="full" />;
  return <Picker own={customScopes(catalog)} value={value} problem={problem} />;
}

const names: Record<ScopeChoice, string> = { none: 'None', read: 'Read only', all: 'All', custom: 'Custom' };

function Picker({ own, value, problem }: ScopePickerProps & { own: ReturnType<typeof customScopes> }) {
  const [choice, setChoice] = useState(() => choiceOf(value, own));
  const [custom, setCustom] = useState(() => new Set(value.filter((grant) => !isBuiltIn(grant))));
  const hint = useId();
  const readOnly = readOnlyScopes(own);
  const offered = offeredGrants(own, value);
  const choices: ScopeChoice[] = [
    'none',
    ...(readOnly.length > 0 ? (['read'] as const) : []),
    'all',
    ...(offered.length > 0 ? (['custom'] as const) : []),
  ];
  const grants = { none: [], read: readOnly, all: ['*'], custom: withoutCovered([...custom]) }[choice];
  return (
    <>
      <div className="scope-picker">
        <Segments
          label="Scopes"
          choices={choices.map((each) => ({ value: each, name: names[each] }))}
          chosen={choice}
          onChoose={setChoice}
          describedBy={hint}
        />
        <p className="field__hint" id={hint}>
          {describeChoice(choice, own.length > 0)}
        </p>
        {own.length === 0 ? (
          <p>
            <Link to="/settings/api/scopes">Define scopes for your API</Link>
          </p>
        ) : null}
        {choice === 'read' ? <GrantNames grants={readOnly} /> : null}
        {choice === 'custom' ? (
          <Grants offered={offered} checked={custom} onChange={(next) => setCustom(new Set(next))} />
        ) : null}
        <div role="alert">{problem ? <ProblemText text={problem} /> : null}</div>
        {grants.map((grant) => (
          <input key={grant} type="hidden" name="scope" value={grant} />
        ))}
      </div>
      <BuiltInScopeField value={value} />
    </>
  );
}

function describeChoice(choice: ScopeChoice, hasScopes: boolean): string {
  if (choice === 'none' && !hasScopes) return 'Your API has no scopes yet, so keys need none.';
  if (choice === 'none') return 'The key is accepted only where your API requires no scope.';
  if (choice === 'read') return 'Only these scopes, not those that are added later:';
  if (choice === 'all') return 'Every scope of your API, including those that are added later.';
  return 'A scope that ends in * also covers scopes that are added later.';
}

function GrantNames({ grants }: { grants: readonly string[] }) {
  return (
    <ul className="scope-picker__names">
      {grants.map((grant) => (
        <li key={grant}>
          <code translate="no">{grant}</code>
        </li>
      ))}
    </ul>
  );
}

interface GrantsProps {
  offered: OfferedGrant[];
  checked: ReadonlySet<string>;
  onChange: (checked: string[]) => void;
}

/** A grant that a checked wildcard covers is shown as checked, and cannot be removed alone. */
function Grants({ offered, checked, onChange }: GrantsProps) {
  const toggle = (grant: string) =>
    onChange(checked.has(grant) ? [...checked].filter((each) => each !== grant) : [...checked, grant]);
  return (
    <fieldset className="scope-picker__grants">
      <legend className="visually-hidden">Scopes of your API</legend>
      {offered.map(({ grant, text }) => {
        const isCovered = isCoveredBy(checked, grant);
        return (
          <label key={grant} className="check">
            <input
              type="checkbox"
              checked={isCovered || checked.has(grant)}
              readOnly={isCovered}
              onChange={() => (isCovered ? undefined : toggle(grant))}
            />
            <code translate="no">{grant}</code>
            <span className="check__more">{isCovered ? 'Covered by a scope above.' : text}</span>
          </label>
        );
      })}
    </fieldset>
  );
}

function isCoveredBy(checked: ReadonlySet<string>, grant: string): boolean {
  return coversScope(
    [...checked].filter((each) => each !== grant),
    grant,
  );
}

function BuiltInScopeField({ value }: { value: readonly string[] }) {
  const [isOpen, setOpen] = useState(value.some(isBuiltIn));
  return (
    <details className="more" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Built-in scopes</summary>
      <fieldset className="scopes">
        <legend className="visually-hidden">Built-in scopes</legend>
        <p className="field__hint">
          Most keys don't need these. They are for programs that manage or verify keys, or read the audit log.
        </p>
        {builtInScopeSchema.options.map((scope) => (
          <label key={scope} className="check">
            <input type="checkbox" name="scope" value={scope} defaultChecked={value.includes(scope)} />
            <code translate="no">{scope}</code>
            <span className="check__more">{builtInScopeDescriptions[scope]}</span>
          </label>
        ))}
      </fieldset>
    </details>
  );
}
