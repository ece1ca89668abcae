import { ExactTime } from '../../../../components/RelativeTime.tsx';
import { InvalidFields } from '../../../../components/use-submit.ts';
import { exactTime, relativeTime } from '../../../../dates/dates.ts';
import { useRenderEveryMinute } from '../../../../dates/use-render-every-minute.ts';
import { ExpiryField } from '../ExpiryField.tsx';
import { parseExpiry } from '../expiry.ts';
import { EditableFact } from './EditableFact.tsx';
import { FactForm } from './FactForm.tsx';
import { appliedEverywhere, type FactProps } from './facts.ts';

export function ExpiryFact({ apiKey, open, canEdit }: FactProps) {
  const form = (
    <FactForm
      apiKey={apiKey}
      field="expiresAt"
      what="expiration"
      read={readForm}
      describe={({ expiresAt }) =>
        `${expiresAt === null ? 'never expires' : `expires on ${exactTime(expiresAt)}`}. ${appliedEverywhere}`
      }
    >
      {(problem) => <ExpiryField current={apiKey.expiresAt} problem={problem} />}
    </FactForm>
  );
  return (
    <EditableFact
      name={apiKey.status === 'expired' ? 'Expired' : 'Expires'}
      what="expiration"
      panel="expiry"
      open={open}
      canEdit={canEdit}
      form={form}
    >
      {apiKey.expiresAt ? <Moment key="at" at={apiKey.expiresAt} /> : <span key="never">Never</span>}
    </EditableFact>
  );
}

function readForm(fields: FormData) {
  const read = parseExpiry(String(fields.get('expiry')), String(fields.get('expiresAt') ?? ''));
  if (read.problem !== undefined) throw new InvalidFields({ expiresAt: read.problem });
  return { expiresAt: read.at };
}

function Moment({ at }: { at: string }) {
  useRenderEveryMinute();
  return (
    <span>
      <ExactTime at={at} /> <span className="fact__more">{`(${relativeTime(at)})`}</span>
    </span>
  );
}
