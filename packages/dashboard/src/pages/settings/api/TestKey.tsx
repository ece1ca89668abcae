import { errorSchema } from '@soku/contract/errors';
import { meSchema } from '@soku/contract/verification';
import { useState } from 'react';
import { z } from 'zod';
import { createUnreachableError } from '../../../api/client.ts';
import { withBasePath } from '../../../base-path.ts';
import { Code } from '../../../components/Code.tsx';
import { Notice } from '../../../components/Notice.tsx';

interface TestResult {
  works: boolean;
  headline: string;
  body: string;
}

/** Sends a real request with the new key. The key is an argument of the call, so that no state holds it. */
export function useTestKey() {
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<TestResult | null>(null);

  const run = async (apiKey: string) => {
    setBusy(true);
    setResult(await requestMe(apiKey));
    setBusy(false);
  };
  return { busy, result, run };
}

/** Shows the response that a program would get. */
export function TestResponse({ result }: { result: TestResult | null }) {
  return (
    <div className="test-key" role="status">
      {result ? (
        <div className="test-key__response">
          <Notice tone={result.works ? 'good' : 'bad'}>
            <p>{result.headline}</p>
          </Notice>
          {result.body === '' ? null : <Code label="response" code={result.body} />}
        </div>
      ) : null}
    </div>
  );
}

const meResponseSchema = z.union([meSchema, errorSchema]);

async function requestMe(apiKey: string): Promise<TestResult> {
  try {
    // Omits the session cookie, because a program has none.
    const response = await fetch(withBasePath('/v1/me'), {
      headers: { authorization: `Bearer ${apiKey}` },
      credentials: 'omit',
      cache: 'no-store',
    });
    const body = meResponseSchema.safeParse(await response.json());
    return {
      works: response.ok,
      headline: response.ok
        ? `GET /v1/me, ${response.status}: the key works.`
        : `GET /v1/me, ${response.status}: the key was rejected.`,
      body: body.success ? JSON.stringify(body.data, null, 2) : '',
    };
  } catch {
    return { works: false, headline: createUnreachableError().message, body: '' };
  }
}
