import { errorSchema } from '@soku/contract/errors';
import { meSchema } from '@soku/contract/verification';
import { useState } from 'react';
import { z } from 'zod';
import { unreachable } from '../../../api/client.ts';
import { Button } from '../../../components/Button.tsx';
import { Code } from '../../../components/Code.tsx';
import { Notice } from '../../../components/Notice.tsx';

interface Answer {
  works: boolean;
  headline: string;
  body: string;
}

/** One real request with the new key, and what came back: the same that a program would get. */
export function TestKey({ apiKey }: { apiKey: string }) {
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<Answer | null>(null);

  const test = async () => {
    setBusy(true);
    setAnswer(await askWho(apiKey));
    setBusy(false);
  };

  return (
    <div className="test">
      <div className="test__line">
        <p>
          Does it work? Sends <code translate="no">GET /v1/me</code> with the new key.
        </p>
        <Button busy={busy} onClick={test}>
          Test it
        </Button>
      </div>
      <div role="status">
        {answer ? (
          <div className="test__answer">
            <Notice tone={answer.works ? 'good' : 'bad'}>
              <p>{answer.headline}</p>
            </Notice>
            {answer.body === '' ? null : <Code label="answer" code={answer.body} />}
          </div>
        ) : null}
      </div>
    </div>
  );
}

const knownAnswer = z.union([meSchema, errorSchema]);

async function askWho(apiKey: string): Promise<Answer> {
  try {
    // The session must not help: a program has none.
    const response = await fetch('/v1/me', {
      headers: { authorization: `Bearer ${apiKey}` },
      credentials: 'omit',
      cache: 'no-store',
    });
    const body = knownAnswer.safeParse(await response.json());
    return {
      works: response.ok,
      headline: response.ok
        ? `${response.status}: the key works.`
        : `${response.status}: the key was refused.`,
      body: body.success ? JSON.stringify(body.data, null, 2) : '',
    };
  } catch {
    return { works: false, headline: unreachable().message, body: '' };
  }
}
