import './Segments.css';
import type { LucideIcon } from 'lucide-react';
import { useId } from 'react';

interface SegmentsProps<Value extends string> {
  label: string;
  isLabelHidden?: boolean;
  choices: ReadonlyArray<{ value: Value; name: string; icon?: LucideIcon }>;
  chosen: Value;
  onChoose: (value: Value) => void;
  /** The id of a text that explains the choice. */
  describedBy?: string;
}

/** A few short choices in a row: radio buttons. */
export function Segments<Value extends string>(props: SegmentsProps<Value>) {
  const { label, isLabelHidden = false, choices, chosen, onChoose, describedBy } = props;
  const group = useId();
  return (
    <fieldset className="segments" aria-describedby={describedBy}>
      <legend className={isLabelHidden ? 'visually-hidden' : 'field__label'}>{label}</legend>
      {choices.map(({ value, name, icon: Icon }) => (
        <label key={value} className="segments__choice">
          <input
            type="radio"
            className="visually-hidden"
            name={group}
            value={value}
            checked={chosen === value}
            onChange={() => onChoose(value)}
          />
          {Icon ? <Icon size={14} aria-hidden /> : null}
          <span>{name}</span>
        </label>
      ))}
    </fieldset>
  );
}
