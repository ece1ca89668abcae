import { useRef, useState } from 'react';
import type { AuditView } from '../../../api/audit.ts';
import { Button } from '../../../components/Button.tsx';
import { TextField } from '../../../components/Field.tsx';
import { InvalidFields, useSubmit } from '../../../components/use-submit.ts';
import { userTimeZone } from '../../../dates/zone.ts';
import { type Period, parsePeriod, toPeriodInput } from './period.ts';

type Bounds = Pick<AuditView, 'since' | 'until'>;

/** The values of the fields. Back restores the previous bounds. */
function usePeriodFields({ since, until }: Bounds) {
  const [shown, setShown] = useState({ since, until });
  const [from, setFrom] = useState(toPeriodInput(since));
  const [to, setTo] = useState(toPeriodInput(until, true));
  if (shown.since !== since || shown.until !== until) {
    setShown({ since, until });
    setFrom(toPeriodInput(since));
    setTo(toPeriodInput(until, true));
  }
  return { from, setFrom, to, setTo };
}

/** Date fields change with each digit, so a button applies them. */
export function PeriodForm({ view, onApply }: { view: Bounds; onApply: (period: Period) => void }) {
  const { from, setFrom, to, setTo } = usePeriodFields(view);
  const [fromField, toField] = [useRef<HTMLInputElement>(null), useRef<HTMLInputElement>(null)];
  const { problems, submit, edit } = useSubmit(async () => {
    // An incomplete date has the value '', just like an empty field.
    const typed = (field: HTMLInputElement | null, value: string) =>
      field?.validity.badInput ? 'incomplete' : value;
    const result = parsePeriod(typed(fromField.current, from), typed(toField.current, to));
    if ('problems' in result) throw new InvalidFields(result.problems);
    onApply(result);
  });
  const field = { type: 'datetime-local', max: '9999-12-31T23:59' };

  return (
    <form className="audit-filters__period" onSubmit={submit} onInput={edit} noValidate>
      <TextField
        {...field}
        ref={fromField}
        label="From"
        name="from"
        value={from}
        onChange={(event) => setFrom(event.target.value)}
        problem={problems.from}
      />
      <TextField
        {...field}
        ref={toField}
        label="To"
        name="to"
        value={to}
        onChange={(event) => setTo(event.target.value)}
        problem={problems.to}
      />
      <Button type="submit">Apply</Button>
      <p className="audit-filters__zone">{`Times are in your time zone, ${userTimeZone}.`}</p>
    </form>
  );
}
