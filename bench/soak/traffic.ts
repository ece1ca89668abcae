import { createdKeySchema } from '@soku/contract/keys';
import { usageSchema } from '@soku/contract/usage';
import { verificationSchema } from '@soku/contract/verification';
import { generateKey } from '@soku/key';
import { Random } from '../../test/support/random.ts';
import type { Client } from './client.ts';
import type { Tally } from './tally.ts';

/** A key that the soak has made. */
interface Made {
  id: string;
  apiKey: string;
  /** How often it was accepted, by our own count. */
  accepted: number;
}

/** Revoked keys that are asked again; of the older ones it takes any place. */
const mostDead = 5000;

/** Calls of every kind, each of which knows the answers that it may get. */
export class Traffic {
  readonly #client: Client;
  readonly #tally: Tally;
  readonly #random = new Random();
  /** Makes and revokes keys; its limit is off. */
  readonly #manager: string;
  /** These live to the end, so whoever asks for one is told yes. */
  readonly #living: Made[] = [];
  /** Made and not yet revoked, oldest first. Nobody else asks for them, so each answer about one is certain. */
  readonly #passing: Made[] = [];
  readonly #dead: string[] = [];

  /** @param manager a key that may do everything */
  constructor(client: Client, tally: Tally, manager: string) {
    this.#client = client;
    this.#tally = tally;
    this.#manager = manager;
  }

  async makeLiving(count: number): Promise<void> {
    while (this.#living.length < count) {
      const made = await this.#make('Living');
      if (made === undefined) throw new Error(`no key could be made: ${this.#tally.unexpected[0]}`);
      this.#living.push(made);
    }
  }

  /** A proxy asks about a good key. */
  async good(): Promise<void> {
    const key = this.#random.pick(this.#living);
    const answer = await this.#verify(key.apiKey);
    if (!this.#tally.expect('good key, asked by a proxy', answer, '204')) return;
    key.accepted += 1;
    const { 'x-soku-key-id': told } = answer.headers;
    if (told !== key.id) this.#tally.fault(`a key was taken for another one: ${told} in place of ${key.id}`);
  }

  /** A program asks about its own key. */
  async me(): Promise<void> {
    const key = this.#random.pick(this.#living);
    const answer = await this.#client.call({ path: '/v1/me', headers: bearer(key.apiKey) });
    if (this.#tally.expect('good key, asked by its program', answer, '200')) key.accepted += 1;
  }

  /** A back end asks about a good key, and about a dead one. */
  async backEnd(): Promise<void> {
    const key = this.#random.pick(this.#living);
    if (await this.#ask('good key, asked by a back end', key.apiKey, 'valid')) key.accepted += 1;
    const dead = this.#dead.at(-1);
    if (dead !== undefined) await this.#ask('revoked key, asked by a back end', dead, 'revoked_key');
  }

  /** Makes a key; it is good at once. */
  async make(): Promise<void> {
    const made = await this.#make('Passing');
    if (made === undefined) return;
    this.#tally.expect('key that was just made', await this.#verify(made.apiKey), '204');
    this.#passing.push(made);
  }

  /** Revokes the oldest of these; it is dead at once. */
  async revoke(): Promise<void> {
    const key = this.#passing.shift();
    if (key === undefined) return;
    this.#tally.expect('key that is about to be revoked', await this.#verify(key.apiKey), '204');
    const revoked = await this.#manage('POST', `/v1/api-keys/${key.id}/revoke`);
    if (!this.#tally.expect('revoke', revoked, '200')) return;
    this.#tally.expect('key that was just revoked', await this.#verify(key.apiKey), '401 revoked_key');
    if (this.#dead.length < mostDead) this.#dead.push(key.apiKey);
    else this.#dead[this.#random.int(0, mostDead - 1)] = key.apiKey;
  }

  async dead(): Promise<void> {
    if (this.#dead.length === 0) return;
    const answer = await this.#verify(this.#random.pick(this.#dead));
    this.#tally.expect('revoked key', answer, '401 revoked_key');
  }

  async unknown(): Promise<void> {
    this.#tally.expect(
      'unknown key',
      await this.#verify(generateKey()),
      '401 unknown_key',
      '429 rate_limited',
    );
  }

  async malformed(): Promise<void> {
    const key = generateKey();
    const [code, authorization] = this.#random.pick([
      ['mistyped_key', `Bearer ${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`],
      ['malformed_key', `Bearer ${key.slice(0, -3)}`],
      ['missing_bearer', key],
      ['unsupported_scheme', `Basic ${key}`],
      ['malformed_authorization', `Bearer  ${key}`],
    ] as const);
    const answer = await this.#client.call({ path: '/v1/verify', headers: { authorization } });
    this.#tally.expect('malformed key', answer, `401 ${code}`, '429 rate_limited');
  }

  async without(): Promise<void> {
    const answer = await this.#client.call({ path: '/v1/verify' });
    this.#tally.expect('no key', answer, '401 missing_authorization');
  }

  /** What people and monitors look at. */
  async read(): Promise<void> {
    const { id } = this.#random.pick(this.#living);
    const path = this.#random.pick([
      '/v1/api-keys',
      '/v1/api-keys?status=revoked&limit=100',
      '/v1/api-keys?q=passing',
      `/v1/api-keys/${id}`,
      `/v1/api-keys/${id}/usage`,
      '/metrics',
      '/openapi.json',
      '/help/authentication',
    ]);
    const { pathname } = new URL(path, 'http://here');
    this.#tally.expect(`look at ${pathname.replace(id, '{id}')}`, await this.#manage('GET', path), '200');
  }

  async rename(): Promise<void> {
    const { id } = this.#random.pick(this.#living);
    const name = `Living ${this.#random.int(1, 1000)}`;
    this.#tally.expect('rename', await this.#manage('PATCH', `/v1/api-keys/${id}`, { name }), '200');
  }

  async alive(): Promise<void> {
    this.#tally.expect('health', await this.#client.call({ path: '/readyz' }), '200');
  }

  /** Holds what the server counted against our own count: no use is lost, and none is counted twice. */
  async checkUsage(): Promise<void> {
    for (const { id, accepted } of this.#living) {
      const answer = await this.#manage('GET', `/v1/api-keys/${id}/usage?hours=2160`);
      if (!this.#tally.expect('look at /v1/api-keys/{id}/usage', answer, '200')) continue;
      const counted = usageSchema.parse(JSON.parse(answer.body)).accepted;
      if (counted !== accepted) this.#tally.fault(`usage counts ${counted} of ${accepted} accepted requests`);
    }
  }

  async #make(name: string): Promise<Made | undefined> {
    const answer = await this.#manage('POST', '/v1/api-keys', { name });
    if (!this.#tally.expect('make a key', answer, '201')) return undefined;
    const { apiKey, key } = createdKeySchema.parse(JSON.parse(answer.body));
    return { id: key.id, apiKey, accepted: 0 };
  }

  /** POST /v1/verify. */
  async #ask(kind: string, apiKey: string, code: string): Promise<boolean> {
    const answer = await this.#manage('POST', '/v1/verify', { apiKey });
    if (!this.#tally.expect(kind, answer, '200')) return false;
    const told = verificationSchema.parse(JSON.parse(answer.body));
    if (told.code !== code) this.#tally.fault(`${kind}: told ${told.code}, expected ${code}`);
    return told.code === code;
  }

  #verify(apiKey: string) {
    return this.#client.call({ path: '/v1/verify', headers: bearer(apiKey) });
  }

  #manage(method: string, path: string, body?: unknown) {
    return this.#client.call({ method, path, headers: bearer(this.#manager), body });
  }
}

function bearer(apiKey: string): Record<string, string> {
  return { authorization: `Bearer ${apiKey}` };
}
