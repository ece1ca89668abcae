import type { ChangeKey } from '@soku/contract/key-requests';
import type { Key } from '@soku/contract/keys';
import { useQueryClient } from '@tanstack/react-query';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import { changeKey, updateCachedKey } from '../../../../api/change-keys.ts';
import { ApiError } from '../../../../api/client.ts';
import { Button } from '../../../../components/Button.tsx';
import type { Elements } from '../../../../components/elements.ts';
import { Failure } from '../../../../components/Notice.tsx';
import { toSentence } from '../../../../components/sentence.ts';
import { announce } from '../../../../components/Toast.tsx';
import { usePanel } from '../../../../components/use-panel.ts';
import { type FieldProblems, useSubmit } from '../../../../components/use-submit.ts';
import { withSignIn } from '../../../../session/sign-in-again.ts';
import { Waiting } from '../Waiting.tsx';

interface FactFormProps {
  apiKey: Key;
  /** The field of the API. A problem with it, or with one of its entries, is shown at the control. */
  field: keyof ChangeKey;
  /** Completes "Save", such as "scopes". */
  what: string;
  /**
   * The change.
   *
   * @throws {InvalidFields} with a problem of `field`
   */
  read: (fields: FormData) => ChangeKey;
  /** What is true once the server has responded. */
  describe: (changed: Key) => string;
  /** The controls. */
  children: (problem: string | undefined) => Elements;
}

/** Changes one property of a key. Escape cancels. */
export function FactForm({ apiKey, field, what, read, describe, children }: FactFormProps) {
  const client = useQueryClient();
  const { closePanel } = usePanel();
  const isShown = useIsShown();
  const { busy, problems, failure, submit, clear } = useSubmit(
    async (fields) => {
      const changed = await withSignIn(() => changeKey(apiKey.id, read(fields)));
      updateCachedKey(client, changed);
      announce(describe(changed), changed.name);
      // While this was saved, another form may have been opened, which must stay.
      if (isShown.current) closePanel();
    },
    { problemsOf: (error) => problemOf(error, field) },
  );
  const cancel = ({ key, nativeEvent }: KeyboardEvent) => {
    if (key === 'Escape' && !nativeEvent.isComposing && !busy) closePanel();
  };
  return (
    <form
      className="form"
      onSubmit={submit}
      onInput={clear}
      onKeyDown={cancel}
      noValidate
      ref={focusFirst}
      aria-label={`Edit ${what}`}
    >
      <div className="form">{children(problems[field])}</div>
      <Failure error={failure} />
      <div className="fact__actions">
        <Button onClick={closePanel}>Cancel</Button>
        <Button variant="primary" type="submit" busy={busy}>
          {`Save ${what}`}
        </Button>
        <Waiting
          busy={busy}
          delayed="This is taking longer than usual. The change may already be in effect."
        />
      </div>
    </form>
  );
}

function useIsShown(): { readonly current: boolean } {
  const isShown = useRef(false);
  useEffect(() => {
    isShown.current = true;
    return () => {
      isShown.current = false;
    };
  }, []);
  return isShown;
}

/** What the server rejected about a field, such as "allowedAddresses.3: must not have a port". */
function problemOf(error: unknown, field: string): FieldProblems {
  if (!(error instanceof ApiError)) return {};
  const pattern = new RegExp(`^(?:body[./])?${field}(?:[./](\\d+))?`);
  for (const { path, problem } of error.details) {
    const [found, index] = pattern.exec(path) ?? [];
    if (found !== undefined) return { [field]: describeProblem(problem, index) };
  }
  return {};
}

/** @param index of an entry, counted from 0 */
function describeProblem(problem: string, index: string | undefined): string {
  return index === undefined ? toSentence(problem) : toSentence(`entry ${Number(index) + 1} ${problem}`);
}

/** The form replaces the value after its data is loaded, so it sets the focus itself. */
function focusFirst(form: HTMLFormElement | null): void {
  const control = 'input:checked, input:not([type="hidden"], [type="radio"]), select, textarea';
  requestAnimationFrame(() => form?.querySelector<HTMLElement>(control)?.focus());
}
