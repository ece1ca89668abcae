import './AuditFilters.css';
import { Link, useNavigate } from '@tanstack/react-router';
import type { AuditView } from '../../../api/audit.ts';
import { SelectField } from '../../../components/Field.tsx';
import type { AuditSearch } from '../../search.ts';
import { actionGroups } from './action-labels.ts';
import { useActorChoices, useKeyChoices } from './choices.ts';
import { PeriodForm } from './PeriodForm.tsx';

const ranges = [
  { value: '', name: 'Any time' },
  { value: '24h', name: 'Last 24 hours' },
  { value: '7d', name: 'Last 7 days' },
  { value: '30d', name: 'Last 30 days' },
  { value: 'custom', name: 'Custom range…' },
] as const;

/** Each change adds a history entry, so that Back restores the previous filters. */
function useChange() {
  const navigate = useNavigate({ from: '/settings/audit' });
  return (change: (search: AuditSearch) => AuditSearch) =>
    navigate({ search: (search) => change(search), resetScroll: false });
}

export function AuditFilters({ search, view }: { search: AuditSearch; view: AuditView }) {
  const change = useChange();
  const actors = useActorChoices(view.actorId);
  const keys = useKeyChoices(view.keyId);
  const isCustom = view.since !== undefined || view.until !== undefined || search.range === 'custom';
  const set = (name: 'action' | 'actor' | 'key') => (event: { target: { value: string } }) =>
    change(({ [name]: _before, ...others }) =>
      event.target.value === '' ? others : { ...others, [name]: event.target.value },
    );

  return (
    <section className="audit-filters" aria-label="Filters">
      <div className="audit-filters__fields">
        <SelectField label="Action" value={view.action ?? ''} onChange={set('action')}>
          <option value="">Any action</option>
          {actionGroups.map(({ title, actions }) => (
            <optgroup key={title} label={title}>
              {actions.map(({ action, name }) => (
                <option key={action} value={action}>
                  {name}
                </option>
              ))}
            </optgroup>
          ))}
        </SelectField>
        <SelectField label="Actor" value={view.actorId ?? ''} onChange={set('actor')}>
          <option value="">Anyone</option>
          {actors.map(({ id, name }) => (
            <option key={id} value={id} translate="no">
              {name}
            </option>
          ))}
        </SelectField>
        <SelectField
          label="Key"
          value={view.keyId ?? ''}
          onChange={set('key')}
          hint={
            keys.hasMore ? (
              <span>
                Newest 100 keys. <Link to="/settings/api">Find another key</Link>
              </span>
            ) : null
          }
        >
          <option value="">Any key</option>
          {keys.choices.map(({ id, name }) => (
            <option key={id} value={id} translate="no">
              {name}
            </option>
          ))}
        </SelectField>
        <SelectField
          label="Time"
          value={isCustom ? 'custom' : (view.range ?? '')}
          onChange={({ target: { value } }) => {
            const range = ranges.find((each) => each.value === value)?.value;
            change(({ range: _range, since: _since, until: _until, ...others }) =>
              range ? { ...others, range } : others,
            );
          }}
        >
          {ranges.map(({ value, name }) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </SelectField>
      </div>
      {isCustom ? (
        <PeriodForm
          view={view}
          onApply={({ since, until }) =>
            change(({ range: _range, since: _since, until: _until, ...others }) => ({
              ...others,
              // Without bounds, the fields stay open and keep the focus.
              ...(since || until ? {} : { range: 'custom' as const }),
              ...(since && { since }),
              ...(until && { until }),
            }))
          }
        />
      ) : null}
      {Object.keys(search).length > 0 ? (
        <p className="audit-filters__clear">
          <Link from="/settings/audit" to="." search={{}} onClick={focusFilters} resetScroll={false}>
            Clear filters
          </Link>
        </p>
      ) : null}
    </section>
  );
}

/** The link disappears when it is followed, so the focus moves to the first filter. */
export function focusFilters(): void {
  document.querySelector<HTMLElement>('.audit-filters select')?.focus();
}
