import { errorSchema } from '@soku/contract/errors';
import { meSchema } from '@soku/contract/verification';
import { useState } from 'react';
import { z } from 'zod';
import { createUnreachableError } from '../../../api/client.ts';
import { Button } from '../../../components/Button.tsx';
import { Code } from '../../../components/Code.tsx';
import { Notice } from '../../../components/Notice.tsx';

interface TestResult {
  works: boolean;
  headline: string;
  body: string;
}

/** Sends a real request with the new key and shows the response that a program would get. */
export function TestKey({ apiKey }: { apiKey: string }) {
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<TestResult | null>(null);

  const test = async () => {
    setBusy(true);
    setResult(await requestMe(apiKey));
    setBusy(false);
  };

  return (
    <div className="test">
      <div className="test__line">
        <p>
          Send <code translate="no">GET /v1/me</code> with the new key.
        </p>
        <Button busy={busy} onClick={test}>
          Test key
        </Button>
      </div>
      <div role="status">
        {result ? (
          <div className="test__answer">
            <Notice tone={result.works ? 'good' : 'bad'}>
              <p>{result.headline}</p>
            </Notice>
            {result.body === '' ? null : <Code label="response" code={result.body} />}
          </div>
        ) : null}
      </div>
    </div>
  );
}

const meResponseSchema = z.union([meSchema, errorSchema]);

async function requestMe(apiKey: string): Promise<TestResult> {
  try {
    // Omits the session cookie, because a program has none.
    const response = await fetch('/v1/me', {
      headers: { authorization: `Bearer ${apiKey}` },
      credentials: 'omit',
      cache: 'no-store',
    });
    const body = meResponseSchema.safeParse(await response.json());
    return {
      works: response.ok,
      headline: response.ok
        ? `${response.status}: the key works.`
        : `${response.status}: the key was rejected.`,
      body: body.success ? JSON.stringify(body.data, null, 2) : '',
    };
  } catch {
    return { works: false, headline: createUnreachableError().message, body: '' };
  }
}
