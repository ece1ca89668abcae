import './EventsField.css';
import { useId, useState } from 'react';
import { ProblemText } from '../../../components/Field.tsx';
import { Segments } from '../../../components/Segments.tsx';
import { eventGroups, receivesAll } from './names.ts';

type Choice = 'all' | 'chosen';

const choices = [
  { value: 'all' as const, name: 'All events' },
  { value: 'chosen' as const, name: 'Selected events' },
];

interface EventsFieldProps {
  /** The events of the webhook. */
  value: readonly string[];
  problem: string | undefined;
  /** Called when the choice between all and chosen events changes. */
  onChoose: () => void;
}

/** Chooses the events of a webhook: form fields with the name `events`. */
export function EventsField({ value, problem, onChoose }: EventsFieldProps) {
  const [choice, setChoice] = useState<Choice>(receivesAll(value) ? 'all' : 'chosen');
  const hint = useId();
  return (
    <div className="events-field">
      <Segments
        label="Events"
        choices={choices}
        chosen={choice}
        onChoose={(chosen) => {
          setChoice(chosen);
          onChoose();
        }}
        describedBy={hint}
      />
      <p className="field__hint" id={hint}>
        {choice === 'all'
          ? 'Every event of the workspace, including those that later versions add.'
          : 'Only the events that you select.'}
      </p>
      {choice === 'all' ? <input type="hidden" name="events" value="*" /> : null}
      {/* Keeps what was checked while all events are chosen. Disabled fields are not part of the form's values. */}
      <fieldset className="events-field__groups" hidden={choice === 'all'} disabled={choice === 'all'}>
        <legend className="visually-hidden">Selected events</legend>
        {eventGroups.map(({ title, events }) => (
          <fieldset key={title} className="events-field__group">
            <legend className="events-field__title">{title}</legend>
            {events.map(({ action, name }) => (
              <label key={action} className="check">
                <input
                  type="checkbox"
                  name="events"
                  value={action}
                  defaultChecked={value.includes(action)}
                  aria-invalid={problem ? true : undefined}
                />
                <span>{name}</span>
              </label>
            ))}
          </fieldset>
        ))}
      </fieldset>
      <div role="alert">{problem ? <ProblemText text={problem} /> : null}</div>
    </div>
  );
}
