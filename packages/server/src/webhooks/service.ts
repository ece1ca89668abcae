import {
  type CreateWebhook,
  maxSigningSecrets,
  maxWebhooks,
  type UpdateWebhook,
  type Webhook,
  type WebhookList,
  type WebhookWithSecret,
} from '@soku/contract/webhooks';
import { containsKey } from '@soku/key';
import type { Kysely } from 'kysely';
import { lockRow } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { diffDetails } from '../events/events.ts';
import type { Caller } from '../http/caller.ts';
import { RequestError } from '../http/errors.ts';
import { keyInFieldError } from '../http/key-in-field.ts';
import { newId } from '../ids.ts';
import { lastSequence } from '../outbox/sealed-events.ts';
import type { Propagation } from '../propagation/propagation.ts';
import type { ReachableAddresses } from './addresses.ts';
import { webhookEvent } from './events.ts';
import { presentWebhook } from './present.ts';
import type { SecretBox } from './signing-secrets.ts';
import { countWebhooks, lockWebhook, type WebhookRow } from './store.ts';
import { addSecret, readSecrets } from './stored-secrets.ts';
import { checkWebhookUrl } from './url.ts';

interface Options {
  propagation: Propagation;
  box: SecretBox;
  addresses: ReachableAddresses;
  /** Key prefixes, to detect a key that was pasted into a field. */
  prefixes: readonly string[];
  /** Epoch ms. */
  now: () => number;
}

/** Commands and lists of webhooks. Every row is looked up with the workspace of the caller. */
export class WebhookService {
  readonly #db: Kysely<Tables>;
  readonly #options: Options;

  constructor(db: Kysely<Tables>, options: Options) {
    this.#db = db;
    this.#options = options;
  }

  async list(workspaceId: string): Promise<WebhookList> {
    const rows = await this.#db
      .selectFrom('webhook')
      .selectAll()
      .where('workspace_id', '=', workspaceId)
      .orderBy('id')
      .execute();
    const now = this.#options.now();
    return { data: rows.map((row) => presentWebhook(row, now)) };
  }

  /** @throws {RequestError} invalid_request; too_many_webhooks */
  async create(caller: Caller, input: CreateWebhook): Promise<WebhookWithSecret> {
    const { box, propagation, now } = this.#options;
    const url = this.#checkUrl(input.url);
    this.#rejectKey(input.description);
    const { workspaceId, actor } = caller;
    const at = now();
    const id = newId('whk_', at);
    const { secret, column } = addSecret([], box, { webhookId: id, now: at, grace: 0 });
    const { value } = await propagation.commit(async (db) => {
      await lockRow(db, 'workspace', workspaceId);
      if ((await countWebhooks(db, workspaceId)) >= maxWebhooks) throw tooManyWebhooks();
      const row: WebhookRow = {
        id,
        workspace_id: workspaceId,
        url,
        description: input.description,
        events: input.events.join(' '),
        secrets: column,
        position: await lastSequence(db, workspaceId),
        failing_since: null,
        disabled_at: null,
        disabled_by: null,
        created_at: at,
        created_by: actor.id,
      };
      await db.insertInto('webhook').values(row).execute();
      const details = { events: row.events };
      return { value: row, events: [webhookEvent(caller, 'webhook.created', row, at, details)] };
    });
    return { webhook: presentWebhook(value, at), secret };
  }

  /** @throws {RequestError} invalid_request; not_found */
  async update(caller: Caller, id: string, input: UpdateWebhook): Promise<Webhook> {
    const { propagation, now } = this.#options;
    const url = input.url === undefined ? undefined : this.#checkUrl(input.url);
    this.#rejectKey(input.description ?? '');
    const at = now();
    const { value } = await propagation.commit(async (db) => {
      const before = await lockWebhook(db, caller.workspaceId, id);
      const changed = {
        url: url ?? before.url,
        description: input.description ?? before.description,
        events: input.events?.join(' ') ?? before.events,
        ...stateChange(before, input.disabled, caller.actor.id, at),
      };
      const after: WebhookRow = { ...before, ...changed };
      const changes = diffDetails(auditedFields(before), auditedFields(after));
      const isOtherUrl = before.url !== after.url;
      if (changes === undefined && !isOtherUrl) return { value: after };
      // No other columns: deliveries write them meanwhile, without the lock on the workspace.
      await db.updateTable('webhook').set(changed).where('id', '=', id).execute();
      const event = webhookEvent(caller, 'webhook.updated', after, at, { urlChanged: isOtherUrl });
      return { value: after, events: [changes === undefined ? event : { ...event, changes }] };
    });
    return presentWebhook(value, at);
  }

  /** Its deliveries are deleted later (retention.ts). @throws {RequestError} not_found */
  async delete(caller: Caller, id: string): Promise<void> {
    const { propagation, now } = this.#options;
    await propagation.commit(async (db) => {
      const webhook = await lockWebhook(db, caller.workspaceId, id);
      await db.deleteFrom('webhook').where('id', '=', id).execute();
      return { value: undefined, events: [webhookEvent(caller, 'webhook.deleted', webhook, now())] };
    });
  }

  /** @throws {RequestError} not_found; too_many_secrets */
  async rotateSecret(caller: Caller, id: string, graceSeconds: number): Promise<WebhookWithSecret> {
    const { box, propagation, now } = this.#options;
    const at = now();
    const { value } = await propagation.commit(async (db) => {
      const webhook = await lockWebhook(db, caller.workspaceId, id);
      // A secret that cannot be decrypted signs nothing, so it needs no grace.
      const older = readSecrets(webhook.secrets, at).filter(
        ({ sealed }) => box.open(sealed, id) !== undefined,
      );
      if (graceSeconds > 0 && older.length >= maxSigningSecrets) throw tooManySecrets();
      const { secret, column } = addSecret(older, box, {
        webhookId: id,
        now: at,
        grace: graceSeconds * 1000,
      });
      await db.updateTable('webhook').set({ secrets: column }).where('id', '=', id).execute();
      const event = webhookEvent(caller, 'webhook.secret_rotated', webhook, at, { graceSeconds });
      return { value: { row: { ...webhook, secrets: column }, secret }, events: [event] };
    });
    return { webhook: presentWebhook(value.row, at), secret: value.secret };
  }

  #checkUrl(url: string): string {
    return checkWebhookUrl(url, this.#options.addresses, this.#options.prefixes);
  }

  #rejectKey(description: string): void {
    if (containsKey(description, this.#options.prefixes)) throw keyInFieldError('description', 'text');
  }
}

/**
 * The columns that change when a call disables or enables a webhook; none if it does neither. Enabling a webhook clears
 * its failures.
 */
function stateChange({ disabled_at }: WebhookRow, disabled: boolean | undefined, by: string, at: number) {
  if (disabled === undefined || disabled === (disabled_at !== null)) return {};
  return disabled
    ? { disabled_at: at, disabled_by: by }
    : { disabled_at: null, disabled_by: null, failing_since: null };
}

/** The fields whose values events state. The URL is not one of them (events.ts). */
function auditedFields({ description, events, disabled_at }: WebhookRow) {
  return { description, events, disabled: disabled_at !== null };
}

function tooManyWebhooks(): RequestError {
  return new RequestError({
    code: 'too_many_webhooks',
    message: `A workspace can have at most ${maxWebhooks} webhooks. Delete one that is no longer used.`,
  });
}

function tooManySecrets(): RequestError {
  return new RequestError({
    code: 'too_many_secrets',
    message: `The webhook has ${maxSigningSecrets} signing secrets that are not retired. Rotate with graceSeconds 0, or wait until one retires.`,
  });
}
