import { type FormEvent, useState } from 'react';
import type { AuditView } from '../../../api/audit.ts';
import { Button } from '../../../components/Button.tsx';
import { TextField } from '../../../components/Field.tsx';
import { readerZone } from '../../../dates/zone.ts';
import { inputOf, periodOf } from './period.ts';

interface PeriodFormProps {
  view: AuditView;
  onApply: (period: { since?: string; until?: string }) => void;
}

/** Fields of dates change with each digit, so they are applied with a button. */
export function PeriodForm({ view: { since, until }, onApply }: PeriodFormProps) {
  const [problems, setProblems] = useState<{ from?: string; to?: string }>({});

  const apply = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const period = periodOf(String(form.get('from')), String(form.get('to')));
    if (period.problems !== undefined) return setProblems(period.problems);
    setProblems({});
    onApply({ ...(period.since && { since: period.since }), ...(period.until && { until: period.until }) });
  };

  return (
    <form className="audit-filters__period" onSubmit={apply} noValidate>
      <TextField
        label="From"
        type="datetime-local"
        name="from"
        max="9999-12-31T23:59"
        defaultValue={inputOf(since)}
        problem={problems.from}
      />
      <TextField
        label="To"
        type="datetime-local"
        name="to"
        max="9999-12-31T23:59"
        defaultValue={inputOf(until, true)}
        problem={problems.to}
      />
      <Button type="submit">Apply</Button>
      <p className="audit-filters__zone">{`In your time zone, ${readerZone}.`}</p>
    </form>
  );
}
