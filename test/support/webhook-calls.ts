/** Calls for the webhooks of a person, which all have a path of the same receiver. */
import assert from 'node:assert/strict';
import { type AuditEvent, auditPageSchema } from '@soku/contract/audit';
import {
  type Delivery,
  deliveryPageSchema,
  type Webhook,
  webhookListSchema,
  webhookSchema,
  webhookWithSecretSchema,
} from '@soku/contract/webhooks';
import { type Contract, eventually } from './contract.ts';
import type { HttpResponse, Person } from './person.ts';

export class WebhookCalls {
  readonly #contract: Contract;
  readonly #person: Person;
  readonly #receiverUrl: string;

  constructor(contract: Contract, person: Person, receiver: { url: string }) {
    this.#contract = contract;
    this.#person = person;
    this.#receiverUrl = receiver.url;
  }

  async call(method: string, path: string, body?: unknown, as: Person = this.#person): Promise<HttpResponse> {
    const request = { as, ...(body === undefined ? {} : { body }) };
    return this.#contract.call(method, `/v1/webhooks${path}`, request);
  }

  /** Resolves when all events so far are sealed. A webhook that is created then receives none of them. */
  async whenSealed(): Promise<void> {
    await eventually(
      async () => auditPageSchema.parse((await this.#person.call('GET', '/v1/audit')).body).data,
      (events) => events.every(({ sequence }) => sequence !== null),
    );
  }

  /** Creates a webhook at a path of the receiver. */
  async create(
    path: string,
    input: object = {},
  ): Promise<{ id: string; secret: string; response: HttpResponse }> {
    const response = await this.call('POST', '', { url: `${this.#receiverUrl}${path}`, ...input });
    assert.equal(response.status, 201, response.text);
    const { webhook, secret } = webhookWithSecretSchema.strict().parse(response.body);
    return { id: webhook.id, secret, response };
  }

  async list(): Promise<Webhook[]> {
    return webhookListSchema.parse((await this.call('GET', '')).body).data;
  }

  async find(id: string): Promise<Webhook> {
    return (await this.list()).find((webhook) => webhook.id === id) ?? assert.fail(`${id} is not listed`);
  }

  async change(id: string, body: object): Promise<Webhook> {
    return webhookSchema.parse((await this.call('PATCH', `/${id}`, body)).body);
  }

  async remove(id: string): Promise<void> {
    assert.equal((await this.call('DELETE', `/${id}`)).status, 204);
  }

  async deliveries(id: string, query = ''): Promise<Delivery[]> {
    return deliveryPageSchema.parse((await this.call('GET', `/${id}/deliveries${query}`)).body).data;
  }

  /** Resolves with the only delivery of a webhook when an attempt has ended. */
  async attempted(
    id: string,
    satisfies = (delivery: Delivery): boolean => delivery.lastAttempt !== null,
  ): Promise<Delivery & { lastAttempt: NonNullable<Delivery['lastAttempt']> }> {
    const [delivery] = await eventually(
      () => this.deliveries(id),
      ([first]) => first !== undefined && satisfies(first),
    );
    assert.ok(delivery?.lastAttempt);
    return { ...delivery, lastAttempt: delivery.lastAttempt };
  }

  /** The events of the audit log about a webhook, oldest first. */
  async events(id: string): Promise<AuditEvent[]> {
    const page = await this.#person.call('GET', `/v1/audit?targetId=${id}`);
    return auditPageSchema.parse(page.body).data.toReversed();
  }
}
