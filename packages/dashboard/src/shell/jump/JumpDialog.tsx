import '../../components/Dialog.css';
import './JumpDialog.css';
import { Search, X } from 'lucide-react';
import { type ComponentPropsWithRef, useRef, useState } from 'react';
import { Button } from '../../components/Button.tsx';
import { Failure } from '../../components/Notice.tsx';
import { fingerprintNote, maxSearchLength, useKeyDetection } from '../../components/use-key-detection.ts';
import { useModal } from '../../components/use-modal.ts';
import { ChoiceList } from './ChoiceList.tsx';
import { useChoiceGroups } from './use-choice-groups.tsx';
import { type ChoiceState, type JumpChoice, useChoices } from './use-choices.ts';
import { type FoundKeys, useFoundKeys } from './use-found-keys.ts';

interface JumpState extends ChoiceState {
  text: string;
  /** SHA-256 of the key to find instead of the text; '' for none. */
  hash: string;
}

const start: JumpState = { text: '', hash: '', chosen: null, isWaiting: false };

/**
 * Finds keys, pages and actions. A key that is pasted is replaced with its hash, which finds it; neither the key nor the
 * text is in the address of the page.
 */
export function JumpDialog({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const outside = useModal(dialog, onClose);
  const [state, setState] = useState<JumpState>(start);
  const { text, hash } = state;
  const { note, handlers } = useKeyDetection({
    onText: (typed) => setState({ ...start, text: typed }),
    onKey: (found) => setState({ ...start, hash: found }),
  });
  const found = useFoundKeys(text, hash);
  const groups = useChoiceGroups(text, hash, found);
  const change = (changes: Partial<JumpState>) => setState((previous) => ({ ...previous, ...changes }));
  const pick = (choice: JumpChoice) => {
    onClose();
    void choice.run();
  };
  const retry = () => {
    found.retry();
    // The button is about to disappear.
    dialog.current?.querySelector('input')?.focus();
  };
  const choices = groups.flatMap((group) => group.choices);
  const { listId, active, optionId, onKeyDown } = useChoices({
    choices,
    state,
    setState: change,
    isPending: found.isPending,
    hasFailed: Boolean(found.error),
    pick,
  });
  const isEmpty = choices.length === 0;
  const summary = isEmpty ? 'No results' : groups.map((group) => group.summary).join(', ');

  return (
    <dialog ref={dialog} className="dialog jump" aria-label="Jump to" {...outside}>
      <div className="jump__panel">
        <JumpInput
          value={text}
          listId={isEmpty ? undefined : listId}
          aria-activedescendant={active && optionId(active)}
          onKeyDown={onKeyDown}
          onClose={onClose}
          {...handlers}
        />
        <p className="jump__note" role="status">
          {`${hashNote(hash, found)} ${note}`.trim()}
        </p>
        <p className="visually-hidden" role="status">
          {found.isPending ? '' : summary}
        </p>
        <SearchFailure error={found.error} onRetry={retry} />
        <ChoiceList
          id={listId}
          groups={groups}
          active={active}
          optionId={optionId}
          isLoading={found.isPending && found.keys.length === 0}
          onPoint={({ id }) => change({ chosen: id })}
          onPick={pick}
        />
        {isEmpty && !found.isPending && !found.error ? <NothingFound text={text} /> : null}
      </div>
    </dialog>
  );
}

interface JumpInputProps extends ComponentPropsWithRef<'input'> {
  /** The id of the list, if there is one. */
  listId: string | undefined;
  onClose: () => void;
}

function JumpInput({ listId, onClose, ...input }: JumpInputProps) {
  return (
    <div className="jump__field">
      <Search size={16} aria-hidden />
      <input
        {...input}
        type="text"
        role="combobox"
        aria-expanded={listId !== undefined}
        aria-controls={listId}
        className="jump__input"
        aria-label="Search for a key, page or action"
        aria-autocomplete="list"
        placeholder="Key name, preview, ID or full key"
        maxLength={maxSearchLength}
        autoCapitalize="off"
        autoComplete="off"
        spellCheck={false}
        enterKeyHint="go"
        data-autofocus
      />
      <button type="button" className="dialog__close jump__close" aria-label="Close" onClick={onClose}>
        <X size={16} aria-hidden />
      </button>
    </div>
  );
}

function SearchFailure({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  return (
    <div className="jump__failure">
      <Failure error={error}>
        <p>
          <Button onClick={onRetry}>Try again</Button>
        </p>
      </Failure>
    </div>
  );
}

function NothingFound({ text }: { text: string }) {
  return (
    <div className="jump__none">
      <p>{text.trim() === '' ? 'This key is not in this workspace.' : `Nothing matches "${text.trim()}".`}</p>
      <p>
        {text.trim() === ''
          ? 'It may belong to another workspace or deployment.'
          : 'Keys are found by name, preview, ID, or the full key.'}
      </p>
    </div>
  );
}

function hashNote(hash: string, { isPending, error, keys }: FoundKeys): string {
  return hash === '' || isPending || error ? '' : fingerprintNote(keys.length);
}
