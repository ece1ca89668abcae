import { createHash, createHmac } from 'node:crypto';
import type { CreateKey } from '@soku/contract/key-requests';
import { createdKeySchema, type Key, keySchema } from '@soku/contract/keys';

/** A response. Its body is parsed if it is JSON, otherwise a text. */
export interface HttpResponse {
  status: number;
  headers: Headers;
  body: unknown;
  text: string;
}

/** Makes an HTTP call as an ordinary client does. */
export async function call(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: unknown; signal?: AbortSignal } = {},
): Promise<HttpResponse> {
  const { method = 'GET', headers = {}, body, signal = null } = options;
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    signal,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = /json\b/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text, text };
}

/** A person with a session, who calls the management API like the dashboard. */
export class Person {
  readonly #url: string;
  /** The Cookie header. */
  readonly cookie: string;

  constructor(url: string, cookie: string) {
    this.#url = url;
    this.cookie = cookie;
  }

  static async signIn(url: string, account: { email: string; password: string }): Promise<Person> {
    const response = await call(`${url}/api/auth/sign-in/email`, { method: 'POST', body: account });
    if (response.status !== 200) throw new Error(`the sign-in returned ${response.status}: ${response.text}`);
    return new Person(url, cookiesOf(response.headers));
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<HttpResponse> {
    return call(`${this.#url}${path}`, { method, body, headers: { cookie: this.cookie, ...headers } });
  }

  /** The token in the cookie. */
  get token(): string {
    return /=([^.]+)\./.exec(this.cookie)?.[1] ?? '';
  }

  /** The hash of the token that the database stores. */
  get storedToken(): string {
    return createHash('sha256').update(this.token).digest('hex');
  }

  /** Creates a key; fails unless it succeeds. */
  async createKey(input: CreateKey): Promise<{ apiKey: string; key: Key }> {
    const response = await this.call('POST', '/v1/api-keys', input);
    if (response.status !== 201)
      throw new Error(`the creation of a key returned ${response.status}: ${response.text}`);
    return createdKeySchema.parse(response.body);
  }

  /** Sets the scope catalog of the workspace; fails unless it succeeds. */
  async setScopes(names: readonly string[]): Promise<void> {
    const scopes = names.map((name) => ({ name, description: '' }));
    const response = await this.call('PUT', '/v1/scopes', { scopes });
    if (response.status !== 200)
      throw new Error(`the catalog was not set: ${response.status}: ${response.text}`);
  }

  /** Revokes a key; fails unless it succeeds. */
  async revoke(id: string): Promise<Key> {
    const response = await this.call('POST', `/v1/api-keys/${id}/revoke`);
    if (response.status !== 200) throw new Error(`the revoke returned ${response.status}: ${response.text}`);
    return keySchema.parse(response.body);
  }
}

/** A session cookie as the server signs it. */
export function signCookie(name: string, token: string, secret: string): string {
  const signature = createHmac('sha256', secret).update(token).digest('base64');
  return `${name}=${encodeURIComponent(`${token}.${signature}`)}`;
}

/** The Cookie header with a response's cookies, except the device cookie, which a session does not need. */
export function cookiesOf(headers: Headers): string {
  return headers
    .getSetCookie()
    .flatMap((cookie) => cookie.split(';', 1))
    .filter((cookie) => !cookie.includes('_device='))
    .join('; ');
}

/** The header that a program sends. */
export function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}
