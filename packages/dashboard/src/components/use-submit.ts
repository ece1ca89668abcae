import { type FormEvent, useState } from 'react';
import { flushSync } from 'react-dom';
import type { z } from 'zod';
import { ApiError } from '../api/client.ts';
import { sentence } from './sentence.ts';

/** What is wrong with fields, by their names. */
export type FieldProblems = Readonly<Record<string, string>>;

/** Thrown by what a form runs, when the input is not valid. */
export class InvalidFields extends Error {
  readonly problems: FieldProblems;

  constructor(problems: FieldProblems) {
    super('Some fields are not valid.');
    this.problems = problems;
  }
}

/**
 * The values of a form's fields.
 *
 * @throws {InvalidFields} with the first problem of each field
 */
export function parseForm<Schema extends z.ZodType>(fields: FormData, schema: Schema): z.output<Schema> {
  const read = schema.safeParse(Object.fromEntries(fields));
  if (read.success) return read.data;
  throw new InvalidFields(
    byField(read.error.issues.map((issue) => ({ path: issue.path.join('.'), problem: issue.message }))),
  );
}

interface Options {
  /** Problems that belong to fields; none: the error is shown for the whole form. */
  problemsOf?: (error: unknown) => FieldProblems;
  /** An error as the form shows it. */
  failureOf?: (error: unknown) => unknown;
}

/**
 * Runs a form's submit, one at a time, and keeps what went wrong. A problem stands beside its field until that is
 * edited, and the first field with a problem gets the focus.
 */
export function useSubmit(run: (fields: FormData) => Promise<void>, options: Options = {}) {
  const { problemsOf = refusedFields, failureOf = (error) => error } = options;
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<FieldProblems>({});
  const [failure, setFailure] = useState<unknown>(null);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const form = event.currentTarget;
    setProblems({});
    setFailure(null);
    setBusy(true);
    try {
      await run(new FormData(form));
      setBusy(false);
    } catch (error) {
      const refused = error instanceof InvalidFields ? error.problems : problemsOf(error);
      // Rendered before the focus moves: only then is the field marked that it goes to.
      flushSync(() => {
        setBusy(false);
        setProblems(refused);
        setFailure(Object.keys(refused).length === 0 ? failureOf(error) : null);
      });
      form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    }
  };

  const edit = ({ target }: FormEvent<HTMLFormElement>) => {
    if (!(target instanceof HTMLInputElement) || problems[target.name] === undefined) return;
    const { [target.name]: _, ...rest } = problems;
    setProblems(rest);
  };

  const clear = () => setProblems((shown) => (Object.keys(shown).length === 0 ? shown : {}));
  return { busy, problems, failure, submit, edit, clear };
}

/** What the server refused, by field. */
function refusedFields(error: unknown): FieldProblems {
  return error instanceof ApiError ? byField(error.details) : {};
}

/** "body/code: is wrong" becomes "Is wrong." of the field code. The first problem of each field is enough. */
function byField(entries: readonly { path: string; problem: string }[]): FieldProblems {
  const problems: Record<string, string> = {};
  for (const { path, problem } of entries) {
    problems[path.replace(/^(?:body)?[./]/, '')] ??= sentence(problem);
  }
  return problems;
}
