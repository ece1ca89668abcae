import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditPageSchema } from '@soku/contract/audit';
import type { CreateKey } from '@soku/contract/key-requests';
import { type CreatedKey, createdKeySchema, type Key, keySchema } from '@soku/contract/keys';
import { assertProblem, Contract } from './contract.ts';
import { decodeJournal } from './journal-files.ts';
import type { HttpResponse, Person } from './person.ts';
import type { TestServer } from './server.ts';
import { openSession } from './session.ts';

interface Options {
  body?: unknown;
  /** The calling key, instead of the person. */
  key?: string;
  token?: string;
}

/** Calls that rotate keys of one person, and what they expect. */
export class Rotations {
  readonly contract: Contract;
  readonly person: Person;
  readonly #server: TestServer;

  private constructor(server: TestServer, contract: Contract, person: Person) {
    this.#server = server;
    this.contract = contract;
    this.person = person;
  }

  static async on(server: TestServer): Promise<Rotations> {
    return new Rotations(server, await Contract.of(server), await openSession(server));
  }

  async tryRotate(id: string, { body = {}, key, token }: Options = {}): Promise<HttpResponse> {
    return this.contract.call('POST', `/v1/api-keys/${id}/rotate`, {
      ...(key === undefined ? { as: this.person } : { key }),
      body,
      ...(token !== undefined && { fields: [['Idempotency-Key', token]] }),
    });
  }

  async rotate(id: string, body: unknown = {}): Promise<CreatedKey> {
    const response = await this.tryRotate(id, { body });
    assert.equal(response.status, 201, response.text);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    return createdKeySchema.parse(response.body);
  }

  async tryRetire(keyId: string, secretId: string | undefined): Promise<HttpResponse> {
    return this.contract.call('POST', retirePath(keyId, secretId), { as: this.person });
  }

  async verify(key: string): Promise<HttpResponse> {
    return this.contract.call('GET', '/v1/verify', { key });
  }

  async assertAccepted(...keys: string[]): Promise<void> {
    for (const key of keys) assert.equal((await this.verify(key)).status, 204);
  }

  async assertRetired(...keys: string[]): Promise<void> {
    for (const key of keys)
      assert.match(assertProblem(await this.verify(key), 'revoked_key').message, /rotated/);
  }

  async create(input: Partial<CreateKey> = {}): Promise<CreatedKey> {
    return this.person.createKey({ name: 'to rotate', ...input });
  }

  async show(id: string): Promise<Key> {
    const { body } = await this.contract.call('GET', `/v1/api-keys/${id}`, { as: this.person });
    return keySchema.parse(body);
  }

  /** Whether the revocation journal of the server has a secret. */
  isInJournal(apiKey: string): boolean {
    const file = join(this.#server.dataDir, 'revoked-hashes');
    const journal = existsSync(file) ? decodeJournal(readFileSync(file)) : [];
    return journal.includes(createHash('sha256').update(apiKey).digest('hex'));
  }

  /** The events of a key, newest first, without its creation. */
  async eventsOf(id: string) {
    const { body } = await this.contract.call('GET', `/v1/audit?keyId=${id}`, { as: this.person });
    return auditPageSchema
      .parse(body)
      .data.filter(({ action }) => action !== 'key.created')
      .map(({ action, actor, details }) => ({ action, by: actor.kind, details }));
  }
}

export function retirePath(keyId: string, secretId: string | undefined): string {
  return `/v1/api-keys/${keyId}/secrets/${secretId}/retire`;
}
