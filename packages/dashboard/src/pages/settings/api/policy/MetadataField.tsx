import { metadataSchema } from '@soku/contract/metadata';
import { Plus, X } from 'lucide-react';
import { useId, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { Button } from '../../../../components/Button.tsx';
import { ProblemText } from '../../../../components/Field.tsx';
import { toSentence } from '../../../../components/sentence.ts';

interface MetadataFieldProps {
  value: Readonly<Record<string, string>>;
  problem: string | undefined;
}

interface Entry {
  /** Identifies the row while others are removed. */
  id: number;
  name: string;
  value: string;
}

/** Rows of names and values: the form fields `metadataName` and `metadataValue`. */
export function MetadataField({ value, problem }: MetadataFieldProps) {
  const [entries, setEntries] = useState<Entry[]>(() => initialEntries(value));
  const list = useRef<HTMLFieldSetElement>(null);
  const problemId = useId();

  const add = () => {
    flushSync(() => setEntries((all) => [...all, { id: nextId(all), name: '', value: '' }]));
    focusName(list.current, -1);
  };
  const remove = (index: number) => {
    flushSync(() => setEntries((all) => all.filter((_, each) => each !== index)));
    focusName(list.current, Math.min(index, entries.length - 2));
  };

  return (
    <fieldset className="metadata" ref={list}>
      <legend className="visually-hidden">Metadata</legend>
      {entries.map(({ id, name, value: text }, index) => (
        <div key={id} className="metadata__entry">
          <input
            type="text"
            name="metadataName"
            className="control control--mono"
            aria-label={`Name ${index + 1}`}
            placeholder="plan"
            autoComplete="off"
            spellCheck={false}
            defaultValue={name}
            aria-invalid={problem ? true : undefined}
            aria-describedby={problem ? problemId : undefined}
          />
          <input
            type="text"
            name="metadataValue"
            className="control"
            aria-label={`Value ${index + 1}`}
            placeholder="enterprise"
            autoComplete="off"
            defaultValue={text}
          />
          <Button
            variant="quiet"
            icon={X}
            className="button--icon"
            aria-label={`Remove entry ${index + 1}`}
            onClick={() => remove(index)}
          />
        </div>
      ))}
      {problem ? <ProblemText id={problemId} text={problem} /> : null}
      <span>
        <Button icon={Plus} onClick={add} data-add>
          Add entry
        </Button>
      </span>
    </fieldset>
  );
}

function initialEntries(value: Readonly<Record<string, string>>): Entry[] {
  const stored = Object.entries(value).map(([name, text], id) => ({ id, name, value: text }));
  return stored.length > 0 ? stored : [{ id: 0, name: '', value: '' }];
}

function nextId(entries: readonly Entry[]): number {
  return Math.max(-1, ...entries.map(({ id }) => id)) + 1;
}

/** Focuses the name of a row, or the button if there is none. */
function focusName(list: HTMLElement | null, index: number): void {
  const names = Array.from(list?.querySelectorAll<HTMLElement>('[name="metadataName"]') ?? []);
  (names.at(index) ?? list?.querySelector<HTMLElement>('[data-add]'))?.focus();
}

/** The metadata for the API, or the first problem. Rows without a name and a value are ignored. */
export function readMetadata(
  fields: FormData,
): { metadata: Record<string, string>; problem?: undefined } | { metadata?: undefined; problem: string } {
  const values = fields.getAll('metadataValue').map(String);
  const rows = fields
    .getAll('metadataName')
    .map((name, index) => [String(name).trim(), values[index] ?? ''] as const)
    .filter(([name, value]) => name !== '' || value !== '');
  const unnamed = rows.find(([name]) => name === '');
  if (unnamed) return { problem: 'Each value needs a name.' };
  const names = rows.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return { problem: `"${twice}" is listed twice.` };
  const read = metadataSchema.safeParse(Object.fromEntries(rows));
  if (read.success) return { metadata: read.data };
  const [issue] = read.error.issues;
  const [name] = issue?.path ?? [];
  const problem = issue?.message ?? '';
  return { problem: toSentence(typeof name === 'string' ? `"${name}" ${problem}` : problem) };
}
