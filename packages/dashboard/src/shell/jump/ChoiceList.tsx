import { Skeleton } from '../../components/Skeleton.tsx';
import type { ChoiceGroup } from './use-choice-groups.tsx';
import type { JumpChoice } from './use-choices.ts';

interface ChoiceListProps {
  id: string;
  groups: ChoiceGroup[];
  active: JumpChoice | undefined;
  optionId: (choice: JumpChoice) => string;
  /** Shows a placeholder for the first key. */
  isLoading: boolean;
  onPoint: (choice: JumpChoice) => void;
  onPick: (choice: JumpChoice) => void;
}

/** The list of a combobox. The focus stays in its field, so the options only react to the pointer. */
export function ChoiceList({ id, groups, isLoading, ...option }: ChoiceListProps) {
  return (
    <div className="jump__list">
      {isLoading ? (
        <div className="jump__group" aria-hidden>
          <p className="jump__title">Keys</p>
          <p className="jump__choice">
            <Skeleton width="middle" />
          </p>
        </div>
      ) : null}
      {groups.length === 0 ? null : (
        <div role="listbox" id={id} aria-label="Results">
          {groups.map((group) => (
            <Group key={group.title} {...group} id={`${id}-${group.title}`} {...option} />
          ))}
        </div>
      )}
    </div>
  );
}

function Group({
  id,
  title,
  choices,
  active,
  optionId,
  onPoint,
  onPick,
}: ChoiceGroup & Omit<ChoiceListProps, 'groups' | 'isLoading'>) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset may not be part of a listbox
    <div className="jump__group" role="group" aria-labelledby={id}>
      <p className="jump__title" id={id} role="presentation">
        {title}
      </p>
      {choices.map((choice) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the field handles the keyboard
        // biome-ignore lint/a11y/useFocusableInteractive: the field keeps the focus and names the active option
        <div
          key={choice.id}
          id={optionId(choice)}
          role="option"
          className="jump__choice"
          aria-selected={choice === active}
          onPointerMove={({ movementX, movementY }) => {
            // The list, not the pointer, moves while the results change.
            const isMoved = movementX !== 0 || movementY !== 0;
            if (isMoved && choice !== active) onPoint(choice);
          }}
          onClick={() => onPick(choice)}
        >
          <span className="jump__mark">{choice.mark}</span>
          <span className="jump__name" translate="no">
            {choice.name}
          </span>
          <span className="jump__end">{choice.end}</span>
        </div>
      ))}
    </div>
  );
}
