/** Calls that change and use keys, as several test files need them. */
import assert from 'node:assert/strict';
import { msPerDay } from '@soku/contract/instant';
import { type Key, keySchema } from '@soku/contract/keys';
import { assertProblem, type Contract } from './contract.ts';
import type { HttpResponse, Person } from './person.ts';

/** A time in requests. */
export const inDays = (days: number): string => new Date(Date.now() + days * msPerDay).toISOString();

/** Calls for the keys of a person. */
export class KeyCalls {
  readonly #contract: Contract;
  readonly #person: Person;

  constructor(contract: Contract, person: Person) {
    this.#contract = contract;
    this.#person = person;
  }

  /** @param key the calling key; otherwise the person calls */
  async change(id: string, body: object, key?: string): Promise<HttpResponse> {
    const caller = key === undefined ? { as: this.#person } : { key };
    return this.#contract.call('PATCH', `/v1/api-keys/${id}`, { ...caller, body });
  }

  async read(id: string): Promise<Key> {
    const response = await this.#contract.call('GET', `/v1/api-keys/${id}`, { as: this.#person });
    return keySchema.strict().parse(response.body);
  }

  /** Fails unless the change is accepted, and the key has the same fields when it is read. */
  async changed(id: string, body: object): Promise<Key> {
    const response = await this.change(id, body);
    assert.equal(response.status, 200, response.text);
    const key = keySchema.strict().parse(response.body);
    assert.deepEqual(await this.read(id), key);
    return key;
  }

  async use(apiKey: string): Promise<HttpResponse> {
    return this.#contract.call('GET', '/v1/me', { key: apiKey });
  }
}

/** Fails unless a request was rejected for this field. */
export function assertField(response: HttpResponse, path: string, problem: RegExp): void {
  const { details, message } = assertProblem(response, 'invalid_request');
  assert.deepEqual(
    details?.map((detail) => detail.path),
    [path],
    message,
  );
  assert.match(details?.[0]?.problem ?? '', problem);
}

/**
 * Makes a call with a date one second from now. If a busy machine reaches the date before the server reads the call, it
 * repeats the call with a later date.
 *
 * @param send must succeed if the date is in the future
 */
export async function withDateSoon(
  send: (expiresAt: string) => Promise<HttpResponse>,
): Promise<{ expiresAt: string; body: unknown }> {
  for (let ms = 1000; ; ms *= 2) {
    const expiresAt = new Date(Date.now() + ms).toISOString();
    const response = await send(expiresAt);
    if (response.status < 300) return { expiresAt, body: response.body };
    assertField(response, 'expiresAt', /future/);
  }
}
