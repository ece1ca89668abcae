import {
  type CreateWebhook,
  createWebhookSchema,
  maxWebhookDescriptionLength,
  maxWebhookUrlLength,
  type Webhook,
} from '@soku/contract/webhooks';
import { TextField } from '../../../components/Field.tsx';
import { FormActions } from '../../../components/FormActions.tsx';
import { parseInput, useSubmit } from '../../../components/use-submit.ts';
import { EventsField } from './EventsField.tsx';

interface WebhookFormProps {
  /** The webhook that is edited. */
  webhook?: Webhook;
  onSubmit: (input: CreateWebhook) => Promise<void>;
  onCancel: () => void;
  submitText: string;
}

/** The fields of a webhook. */
export function WebhookForm({ webhook, onSubmit, onCancel, submitText }: WebhookFormProps) {
  const { busy, problems, failure, submit, edit, clear } = useSubmit(async (fields) => {
    const { url, description } = Object.fromEntries(fields);
    await onSubmit(parseInput({ url, description, events: fields.getAll('events') }, createWebhookSchema));
  });
  return (
    <form className="form" onSubmit={submit} onInput={edit} noValidate>
      <TextField
        label="URL"
        name="url"
        type="url"
        inputMode="url"
        placeholder="https://hooks.example.com/soku"
        className="control--mono"
        maxLength={maxWebhookUrlLength}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        defaultValue={webhook?.url}
        data-autofocus
        hint="Receives a POST request for each event."
        problem={problems.url}
      />
      <TextField
        label="Description"
        name="description"
        placeholder="Posts to the operations channel"
        maxLength={maxWebhookDescriptionLength}
        autoComplete="off"
        defaultValue={webhook?.description}
        hint="Optional. The name of the webhook in lists."
        problem={problems.description}
      />
      <EventsField value={webhook?.events ?? ['*']} problem={problems.events} onChoose={clear} />
      <FormActions failure={failure} busy={busy} onCancel={onCancel} submit={submitText} />
    </form>
  );
}
