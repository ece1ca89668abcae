import { externalIdSchema } from '@soku/contract/key-policy';
import { TextField } from '../../../../components/Field.tsx';
import { toSentence } from '../../../../components/sentence.ts';
import { InvalidFields } from '../../../../components/use-submit.ts';
import { MetadataField, readMetadata } from '../policy/MetadataField.tsx';
import { EditableFact } from './EditableFact.tsx';
import { FactForm } from './FactForm.tsx';
import type { FactProps } from './facts.ts';

export function ExternalIdFact({ apiKey, open, canEdit }: FactProps) {
  const form = (
    <FactForm
      apiKey={apiKey}
      field="externalId"
      what="external ID"
      read={readExternalId}
      describe={() => 'external ID saved.'}
    >
      {(problem) => (
        <TextField
          label="External ID"
          name="externalId"
          autoComplete="off"
          defaultValue={apiKey.externalId ?? ''}
          hint="The ID that your own system has for the customer or program. Your API receives it with each request."
          problem={problem}
        />
      )}
    </FactForm>
  );
  return (
    <EditableFact
      name="External ID"
      what="external ID"
      panel="external-id"
      open={open}
      canEdit={canEdit}
      form={form}
    >
      {apiKey.externalId === null ? (
        <span key="none">None</span>
      ) : (
        <code key="id" translate="no">
          {apiKey.externalId}
        </code>
      )}
    </EditableFact>
  );
}

function readExternalId(fields: FormData) {
  const text = String(fields.get('externalId')).trim();
  if (text === '') return { externalId: null };
  const read = externalIdSchema.safeParse(text);
  if (read.success) return { externalId: read.data };
  throw new InvalidFields({ externalId: toSentence(read.error.issues[0]?.message ?? '') });
}

export function MetadataFact({ apiKey, open, canEdit }: FactProps) {
  const entries = Object.entries(apiKey.metadata);
  const form = (
    <FactForm
      apiKey={apiKey}
      field="metadata"
      what="metadata"
      read={readMetadataForm}
      describe={() => 'metadata saved.'}
    >
      {(problem) => <MetadataField value={apiKey.metadata} problem={problem} />}
    </FactForm>
  );
  return (
    <EditableFact name="Metadata" what="metadata" panel="metadata" open={open} canEdit={canEdit} form={form}>
      {entries.length === 0 ? <span key="none">None</span> : null}
      {entries.map(([name, value]) => (
        <span key={name} className="fact__pair">
          <code translate="no">{name}</code>
          <span translate="no">{value}</span>
        </span>
      ))}
    </EditableFact>
  );
}

function readMetadataForm(fields: FormData) {
  const read = readMetadata(fields);
  if (read.problem !== undefined) throw new InvalidFields({ metadata: read.problem });
  return { metadata: read.metadata };
}
