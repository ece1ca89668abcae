import './TryIt.css';
import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import type { Operation, Schemas } from '../../api/openapi.ts';
import { useSession } from '../../api/session.ts';
import { Button } from '../../components/Button.tsx';
import { TextField } from '../../components/Field.tsx';
import { Failure } from '../../components/Notice.tsx';
import { needsKey } from './curl-example.ts';
import { ParameterField } from './ParameterField.tsx';
import type { PastedKey } from './pasted-key.ts';
import { sendRequest, type TriedResponse } from './send-request.ts';
import { TriedResponseView } from './TriedResponseView.tsx';
import { readRequest } from './tried-request.ts';

interface TryItProps {
  operation: Operation;
  schemas: Schemas;
  pastedKey: PastedKey;
  isOpen: boolean;
  onToggle: () => void;
}

/** Only requests that change nothing and take a key, or none, can be sent from the page. */
export function canTry(operation: Operation): boolean {
  return operation.method === 'GET' && (operation.security.length === 0 || needsKey(operation));
}

export function TryIt({ isOpen, onToggle, ...form }: TryItProps) {
  const id = useId();
  return (
    <div className="try-it">
      <Button aria-expanded={isOpen} aria-controls={isOpen ? id : undefined} onClick={onToggle}>
        <span>Try it</span>
        <span className="visually-hidden">{`: ${form.operation.summary}`}</span>
      </Button>
      {isOpen ? <TryForm id={id} {...form} /> : null}
    </div>
  );
}

type Outcome = { response: TriedResponse } | { error: unknown } | null;

function TryForm({
  id,
  operation,
  schemas,
  pastedKey,
}: Omit<TryItProps, 'isOpen' | 'onToggle'> & { id: string }) {
  const prefix = useSession()?.keyPrefix ?? 'sk_live_';
  const [problems, setProblems] = useState<Record<string, string>>({});
  const [outcome, setOutcome] = useState<Outcome>(null);
  const [busy, setBusy] = useState(false);
  const leaving = useRef<AbortController>(null);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => () => leaving.current?.abort(), []);
  useEffect(() => {
    if (Object.keys(problems).length > 0)
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [problems]);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    pastedKey.take();
    const request = readRequest(operation, new FormData(event.currentTarget), pastedKey.read(), prefix);
    setProblems(request.problems);
    setOutcome(null);
    if (Object.keys(request.problems).length > 0) return;
    const abort = new AbortController();
    leaving.current = abort;
    setBusy(true);
    try {
      setOutcome({ response: await sendRequest(request.path, request.apiKey, abort.signal) });
    } catch (error) {
      if (!abort.signal.aborted) setOutcome({ error });
    }
    setBusy(false);
  };

  return (
    <form id={id} className="form" ref={form} noValidate autoComplete="off" onSubmit={submit}>
      {needsKey(operation) ? (
        <TextField
          ref={pastedKey.attach}
          label="API key"
          placeholder={`${prefix}...`}
          hint="Sent only in the Authorization header. The page drops it when you leave, and never stores it."
          problem={problems.key}
          className="control--mono try-it__key"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          translate="no"
          data-1p-ignore
          data-lpignore="true"
          onChange={pastedKey.take}
        />
      ) : null}
      {operation.parameters.map((parameter) =>
        ['path', 'query'].includes(parameter.in) ? (
          <ParameterField
            key={parameter.name}
            parameter={parameter}
            schemas={schemas}
            problem={problems[`parameter ${parameter.name}`]}
          />
        ) : null,
      )}
      <div className="try-it__actions">
        <Button type="submit" variant="primary" busy={busy}>
          Send request
        </Button>
        {needsKey(operation) ? (
          <Button variant="quiet" onClick={pastedKey.clear}>
            Clear key
          </Button>
        ) : null}
      </div>
      {outcome && 'error' in outcome ? <Failure error={outcome.error} /> : null}
      <TriedResponseView
        of={operation.summary}
        response={outcome && 'response' in outcome ? outcome.response : null}
      />
    </form>
  );
}
