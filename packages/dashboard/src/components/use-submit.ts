import { type FormEvent, useState } from 'react';
import { flushSync } from 'react-dom';
import type { z } from 'zod';
import { ApiError } from '../api/client.ts';
import { toSentence } from './sentence.ts';

/** Problems by the name of their field. */
export type FieldProblems = Readonly<Record<string, string>>;

/** Thrown by the submit function of a form if its input is invalid. */
export class InvalidFields extends Error {
  readonly problems: FieldProblems;

  constructor(problems: FieldProblems) {
    super('Some fields are invalid.');
    this.problems = problems;
  }
}

/**
 * The values of a form's fields.
 *
 * @throws {InvalidFields} with the first problem of each field
 */
export function parseForm<Schema extends z.ZodType>(fields: FormData, schema: Schema): z.output<Schema> {
  return parseInput(Object.fromEntries(fields), schema);
}

/** The same for values that are more than the texts of the fields. */
export function parseInput<Schema extends z.ZodType>(input: unknown, schema: Schema): z.output<Schema> {
  const read = schema.safeParse(input);
  if (read.success) return read.data;
  throw new InvalidFields(
    byField(read.error.issues.map((issue) => ({ path: issue.path.join('.'), problem: issue.message }))),
  );
}

interface Options {
  /** The problems of an error by field. If there are none, the error is shown for the whole form. */
  problemsOf?: (error: unknown) => FieldProblems;
  /** Converts an error to the one that the form shows. */
  failureOf?: (error: unknown) => unknown;
}

/**
 * Runs one submit of a form at a time and keeps its errors. A problem is shown next to its field until the field is
 * edited, and the first field with a problem gets the focus.
 */
export function useSubmit(run: (fields: FormData) => Promise<void>, options: Options = {}) {
  const { problemsOf = rejectedFields, failureOf = (error) => error } = options;
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
      const rejected = error instanceof InvalidFields ? error.problems : problemsOf(error);
      // Rendered before the focus moves, because the target is found by its aria-invalid attribute.
      flushSync(() => {
        setBusy(false);
        setProblems(rejected);
        setFailure(Object.keys(rejected).length === 0 ? failureOf(error) : null);
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

/** The fields that the server rejected. */
function rejectedFields(error: unknown): FieldProblems {
  return error instanceof ApiError ? byField(error.details) : {};
}

/** Converts "body/code: is wrong" to "Is wrong." for the field `code`. Keeps the first problem of each field. */
function byField(entries: readonly { path: string; problem: string }[]): FieldProblems {
  const problems: Record<string, string> = {};
  for (const { path, problem } of entries) {
    problems[path.replace(/^(?:body)?[./]/, '')] ??= toSentence(problem);
  }
  return problems;
}
