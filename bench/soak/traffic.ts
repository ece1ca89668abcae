import { createdKeySchema } from '@soku/contract/keys';
import { usageSchema } from '@soku/contract/usage';
import { verificationSchema } from '@soku/contract/verification';
import { generateKey } from '@soku/key';
import { Random } from '../../test/support/random.ts';
import type { SoakClient } from './client.ts';
import type { Tally } from './tally.ts';

/** A key that the soak created. */
interface CreatedKey {
  id: string;
  apiKey: string;
  /** How often it was accepted, as counted by the soak. */
  accepted: number;
}

/** Maximum of revoked keys that are verified again; a new one replaces a random older one. */
const mostRevoked = 5000;

/** Calls of every kind, each with its expected responses. */
export class Traffic {
  readonly #client: SoakClient;
  readonly #tally: Tally;
  readonly #random = new Random();
  /** A key that creates and revokes keys; its limit is off. */
  readonly #manager: string;
  /** Active until the end, so every verification accepts them. */
  readonly #active: CreatedKey[] = [];
  /** Created and not yet revoked, oldest first. No other call uses them, so each response is predictable. */
  readonly #shortLived: CreatedKey[] = [];
  readonly #revoked: string[] = [];

  /** @param manager a key that may do everything */
  constructor(client: SoakClient, tally: Tally, manager: string) {
    this.#client = client;
    this.#tally = tally;
    this.#manager = manager;
  }

  async createActiveKeys(count: number): Promise<void> {
    while (this.#active.length < count) {
      const created = await this.#create('Living');
      if (created === undefined) throw new Error(`no key could be created: ${this.#tally.unexpected[0]}`);
      this.#active.push(created);
    }
  }

  /** A proxy verifies a valid key. */
  async verifyActiveKey(): Promise<void> {
    const key = this.#random.pick(this.#active);
    const response = await this.#verify(key.apiKey);
    if (!this.#tally.expect('valid key, from a proxy', response, '204')) return;
    key.accepted += 1;
    const { 'x-soku-key-id': id } = response.headers;
    if (id !== key.id) this.#tally.fault(`a key was identified as ${id} instead of ${key.id}`);
  }

  /** A program reads its own key. */
  async readOwnKey(): Promise<void> {
    const key = this.#random.pick(this.#active);
    const response = await this.#client.call({ path: '/v1/me', headers: bearer(key.apiKey) });
    if (this.#tally.expect('valid key, from its program', response, '200')) key.accepted += 1;
  }

  /** A back end verifies a valid key and a revoked one. */
  async verifyFromBackEnd(): Promise<void> {
    const key = this.#random.pick(this.#active);
    if (await this.#verifyByPost('valid key, from a back end', key.apiKey, 'valid')) key.accepted += 1;
    const revoked = this.#revoked.at(-1);
    if (revoked !== undefined)
      await this.#verifyByPost('revoked key, from a back end', revoked, 'revoked_key');
  }

  /** Creates a key, which is valid at once. */
  async createKey(): Promise<void> {
    const created = await this.#create('Passing');
    if (created === undefined) return;
    this.#tally.expect('key that was just created', await this.#verify(created.apiKey), '204');
    this.#shortLived.push(created);
  }

  /** Revokes the oldest of these, which is rejected at once. */
  async revokeOldestKey(): Promise<void> {
    const key = this.#shortLived.shift();
    if (key === undefined) return;
    this.#tally.expect('key that is about to be revoked', await this.#verify(key.apiKey), '204');
    const revoked = await this.#manage('POST', `/v1/api-keys/${key.id}/revoke`);
    if (!this.#tally.expect('revoke', revoked, '200')) return;
    this.#tally.expect('key that was just revoked', await this.#verify(key.apiKey), '401 revoked_key');
    if (this.#revoked.length < mostRevoked) this.#revoked.push(key.apiKey);
    else this.#revoked[this.#random.int(0, mostRevoked - 1)] = key.apiKey;
  }

  async verifyRevokedKey(): Promise<void> {
    if (this.#revoked.length === 0) return;
    const response = await this.#verify(this.#random.pick(this.#revoked));
    this.#tally.expect('revoked key', response, '401 revoked_key');
  }

  async verifyUnknownKey(): Promise<void> {
    this.#tally.expect(
      'unknown key',
      await this.#verify(generateKey()),
      '401 unknown_key',
      '429 rate_limited',
    );
  }

  async verifyMalformedKey(): Promise<void> {
    const key = generateKey();
    const [code, authorization] = this.#random.pick([
      ['mistyped_key', `Bearer ${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`],
      ['malformed_key', `Bearer ${key.slice(0, -3)}`],
      ['missing_bearer', key],
      ['unsupported_scheme', `Basic ${key}`],
      ['malformed_authorization', `Bearer  ${key}`],
    ] as const);
    const response = await this.#client.call({ path: '/v1/verify', headers: { authorization } });
    this.#tally.expect('malformed key', response, `401 ${code}`, '429 rate_limited');
  }

  async verifyWithoutKey(): Promise<void> {
    const response = await this.#client.call({ path: '/v1/verify' });
    this.#tally.expect('no key', response, '401 missing_authorization');
  }

  /** Calls of people and monitoring. */
  async readManagementPages(): Promise<void> {
    const { id } = this.#random.pick(this.#active);
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
    this.#tally.expect(`read ${pathname.replace(id, '{id}')}`, await this.#manage('GET', path), '200');
  }

  async renameKey(): Promise<void> {
    const { id } = this.#random.pick(this.#active);
    const name = `Living ${this.#random.int(1, 1000)}`;
    this.#tally.expect('rename', await this.#manage('PATCH', `/v1/api-keys/${id}`, { name }), '200');
  }

  async checkHealth(): Promise<void> {
    this.#tally.expect('health', await this.#client.call({ path: '/readyz' }), '200');
  }

  /** Compares the server's usage counts with the soak's own: no use is lost or counted twice. */
  async checkUsage(): Promise<void> {
    for (const { id, accepted } of this.#active) {
      const response = await this.#manage('GET', `/v1/api-keys/${id}/usage?hours=2160`);
      if (!this.#tally.expect('read /v1/api-keys/{id}/usage', response, '200')) continue;
      const counted = usageSchema.parse(JSON.parse(response.body)).accepted;
      if (counted !== accepted) this.#tally.fault(`usage counts ${counted} of ${accepted} accepted requests`);
    }
  }

  async #create(name: string): Promise<CreatedKey | undefined> {
    const response = await this.#manage('POST', '/v1/api-keys', { name });
    if (!this.#tally.expect('create a key', response, '201')) return undefined;
    const { apiKey, key } = createdKeySchema.parse(JSON.parse(response.body));
    return { id: key.id, apiKey, accepted: 0 };
  }

  /** POST /v1/verify. */
  async #verifyByPost(kind: string, apiKey: string, code: string): Promise<boolean> {
    const response = await this.#manage('POST', '/v1/verify', { apiKey });
    if (!this.#tally.expect(kind, response, '200')) return false;
    const result = verificationSchema.parse(JSON.parse(response.body));
    if (result.code !== code) this.#tally.fault(`${kind}: got ${result.code}, expected ${code}`);
    return result.code === code;
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
