import { type KeyboardEvent, useEffect, useEffectEvent, useId } from 'react';
import type { Elements } from '../../components/elements.ts';
import { isJumpKey } from '../../components/shortcuts.ts';

/** One line of the list. */
export interface JumpChoice {
  id: string;
  name: string;
  /** In front of the name: the teeth of a key, or an icon. */
  mark: Elements;
  /** At the end of the line. */
  end: Elements;
  run: () => unknown;
}

export interface ChoiceState {
  /** The id of the choice that the user moved to; null: the first one. */
  chosen: string | null;
  /** The user has pressed Enter before the keys were found. */
  isWaiting: boolean;
}

interface ChoicesOptions {
  choices: JumpChoice[];
  state: ChoiceState;
  setState: (change: Partial<ChoiceState>) => void;
  /** The first choice may still change. */
  isPending: boolean;
  /** Choices are missing, so the first one may be wrong. */
  hasFailed: boolean;
  pick: (choice: JumpChoice) => void;
}

/**
 * The keyboard of a combobox with a list (ARIA Authoring Practices): the focus stays in the field, the arrow keys move
 * through the list and wrap around, and Enter picks. Enter also works before the keys are found: it picks the first
 * result as soon as there is one.
 */
export function useChoices({ choices, state, setState, isPending, hasFailed, pick }: ChoicesOptions) {
  const listId = useId();
  const index = Math.max(
    choices.findIndex(({ id }) => id === state.chosen),
    0,
  );
  const active = choices[index];
  const optionId = (choice: JumpChoice) => `${listId}-${choice.id}`;

  const move = (step: 1 | -1) => {
    const next = choices[(index + step + choices.length) % choices.length];
    if (next === undefined) return;
    setState({ chosen: next.id, isWaiting: false });
    document.getElementById(optionId(next))?.scrollIntoView({ block: 'nearest' });
  };

  const enter = () => {
    if (isPending && state.chosen === null) setState({ isWaiting: true });
    else if (active) pick(active);
  };

  const pickFirst = useEffectEvent(() => {
    setState({ isWaiting: false });
    if (active && !hasFailed) pick(active);
  });
  useEffect(() => {
    if (state.isWaiting && !isPending) pickFirst();
  }, [state.isWaiting, isPending]);

  const actions = new Map<string, () => void>([
    ['ArrowDown', () => move(1)],
    ['ArrowUp', () => move(-1)],
    ['Enter', enter],
  ]);
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.nativeEvent.isComposing) return;
    const act = isJumpKey(event.nativeEvent) ? () => event.currentTarget.select() : actions.get(event.key);
    if (act === undefined) return;
    event.preventDefault();
    act();
  };

  return { listId, active, optionId, onKeyDown };
}
